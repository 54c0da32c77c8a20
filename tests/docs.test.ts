import { expect, test } from "vitest";
import { parseSource } from "./architecture-source.ts";
import { compareEnvironment, parseExample, variablesRead } from "./docs-env.ts";
import { checkDocument } from "./docs-links.ts";

const facts = {
  exists: (path: string) => ["docs/a.md", "README.md", "packages/db"].includes(path),
  scripts: new Set(["test", "dev"]),
};
const problems = (text: string, path = "docs/b.md"): string[] =>
  checkDocument(path, text, facts).map(({ line, message }) => `${line} ${message}`);

test("a relative link that leads nowhere is found, from where the document stands", () => {
  expect(problems("see\n[here](gone.md#part) and [there](../gone)")).toEqual([
    "2 the link gone.md#part leads nowhere",
    "2 the link ../gone leads nowhere",
  ]);
  expect(problems("[a](a.md), [up](../README.md#top), [folder](../packages/db), [root](/README.md)")).toEqual([]);
});

test("links to the outside, to a heading, and in code are left alone", () => {
  expect(problems("[web](https://example.com/x) [mail](mailto:a@b.c) [down](#below)")).toEqual([]);
  expect(problems("`[no](link.md)`\n```md\n[no](link.md)\n```\n[yes](gone.md)")).toEqual([
    "5 the link gone.md leads nowhere",
  ]);
});

test("a command that package.json does not know is found, in code too", () => {
  expect(problems("Run `npm run dev`, `npm test` and `npm run fly`.\n```sh\nnpm run swim -- --fast\n```")).toEqual([
    "1 npm has no script fly",
    "3 npm has no script swim",
  ]);
});

test("variables and the sentences above them are read, set or commented out", () => {
  const text = "# One line.\nONE=1\n\n# First.\n# Second.\n# TWO=2\nTHREE=3\n";
  expect(parseExample(text)).toEqual([
    { name: "ONE", line: 2, comment: "# One line." },
    { name: "TWO", line: 6, comment: "# First.\n# Second." },
    { name: "THREE", line: 7, comment: "" },
  ]);
});

test("a variable missing, read nowhere, without a sentence or there twice is named", () => {
  const example = parseExample("# A sentence.\nONE=\nTWO=\n# Again.\nONE=\n");
  const readers = new Map([
    ["ONE", "apps/server/env.ts"],
    ["THREE", "apps/worker/env.ts"],
  ]);
  expect(compareEnvironment(example, readers)).toEqual([
    ".env.example: THREE, read in apps/worker/env.ts, is missing",
    ".env.example:3 TWO is read nowhere",
    ".env.example:3 TWO has no sentence above it",
    ".env.example:5 ONE stands there twice",
  ]);
});

test("what a file reads by name is seen, and comments are not", () => {
  const text =
    'const a = process.env.ONE;\nconst b = process.env["TWO"];\n// process.env.THREE\nconst c = process.env[name];';
  expect(variablesRead(parseSource("a.ts", text), text)).toEqual(["ONE", "TWO"]);
});
