import { expect, test } from "vitest";
import { findCircles } from "./architecture-domains.ts";
import { maskNonCode, parseSource } from "./architecture-source.ts";
import { checkSources } from "./architecture.ts";

/** What the rules say about these files, without the paths. */
function verdict(files: Record<string, string>): string[] {
  return checkSources(Object.entries(files).map(([path, text]) => parseSource(path, text))).map(
    ({ message }) => message,
  );
}

// Each line breaks one rule: a rule that is lost, or an exception that is too wide, fails here.
test.each([
  [
    "apps/server/main.ts",
    'import { renderManifests } from "@sewa/provisioner";',
    "apps/server may not import @sewa/provisioner",
  ],
  ["apps/server/main.ts", 'import { eq } from "drizzle-orm";', "apps/server never imports drizzle-orm"],
  ["apps/worker/main.ts", 'import type { AppRouter } from "@sewa/api";', "apps/worker may not import @sewa/api"],
  ["apps/worker/main.ts", 'import pg from "pg";', "apps/worker never imports pg"],
  [
    "apps/cli/main.ts",
    'import { startDevcluster } from "@sewa/devcluster";',
    "apps/cli may not import @sewa/devcluster",
  ],
  [
    "apps/cli/main.ts",
    'import { connectCluster } from "@sewa/provisioner";',
    "apps/cli may not import @sewa/provisioner",
  ],
  [
    "apps/cli/main.ts",
    'import { KubeConfig } from "@kubernetes/client-node";',
    "apps/cli never imports @kubernetes/client-node",
  ],
  ["apps/server/main.ts", 'await import("@sewa/dev");', "apps/server may not import @sewa/dev"],
  ["packages/api/src/a.ts", 'import { connectDatabase } from "@sewa/db";', "packages/api may not import @sewa/db"],
  [
    "packages/api/src/a.ts",
    'import { eq } from "drizzle-orm/pg-core";',
    "packages/api never imports drizzle-orm/pg-core",
  ],
  ["packages/core/src/a.ts", 'import { TRPCError } from "@trpc/server";', "packages/core never imports @trpc/server"],
  ["packages/core/src/a.ts", 'import postgres from "postgres";', "packages/core never imports postgres"],
  [
    "packages/core/src/a.ts",
    'import { createTestDatabase } from "@sewa/db/testing";',
    "packages/core may not import @sewa/db/testing",
  ],
  ["packages/core/src/a.ts", 'export * from "@sewa/provisioner";', "packages/core may not import @sewa/provisioner"],
  [
    "packages/provisioner/src/a.ts",
    'import { schema } from "@sewa/db/schema";',
    "packages/provisioner may not import @sewa/db/schema",
  ],
  [
    "packages/provisioner/src/a.ts",
    'import {} from "@sewa/core/instances";',
    "packages/provisioner may not import @sewa/core/instances",
  ],
  [
    "packages/provisioner/src/a.ts",
    'import { startDevcluster } from "@sewa/devcluster";',
    "packages/provisioner may not import @sewa/devcluster",
  ],
  ["packages/blueprint/src/a.ts", 'import { something } from "lodash";', "packages/blueprint may not import lodash"],
  ["packages/blueprint/src/a.ts", 'import { x } from "@sewa/core";', "packages/blueprint may not import @sewa/core"],
  ["packages/db/src/a.ts", 'import { x } from "@sewa/core";', "packages/db may not import @sewa/core"],
  ["packages/devcluster/src/a.ts", 'import { z } from "zod";', "packages/devcluster may not import zod"],
  ["packages/devgateway/src/a.ts", 'import { z } from "zod";', "packages/devgateway may not import zod"],
  [
    "packages/devgateway/src/a.test.ts",
    'import { createSandboxProvider } from "@sewa/core";',
    "packages/devgateway may not import @sewa/core",
  ],
  [
    "packages/core/src/a.test.ts",
    'import { startDevgateway } from "@sewa/devgateway";',
    "packages/core may not import @sewa/devgateway",
  ],
  [
    "packages/core/src/a.ts",
    'import { x } from "@sewa/system-tests";',
    "packages/core may not import @sewa/system-tests",
  ],
  ["packages/core/src/a.ts", 'import { x } from "@sewa/bench";', "packages/core may not import @sewa/bench"],
  ["packages/core/src/a.ts", 'import { x } from "../../db/src/client.ts";', "leaves packages/core"],
  ["apps/server/main.ts", 'import { x } from "../../bench/run.ts";', "leaves apps/server"],
  ["packages/core/src/a.ts", 'import { given } from "./testing/given.ts";', "./testing/given.ts is for tests only"],
  [
    "packages/core/src/accounts/a.ts",
    'import { given } from "./test-accounts.ts";',
    "./test-accounts.ts is for tests only",
  ],
  ["packages/utils/src/index.ts", "export {};", "packages/utils is no room of the house"],
  ["apps/server/main.ts", "const url = process.env.DATABASE_URL;", "the environment is read in apps/*/env.ts only"],
  ["packages/core/src/a.ts", 'const url = process["env"];', "the environment is read in apps/*/env.ts only"],
  ["packages/core/src/a.ts", "const { env } = process;", "the environment is read in apps/*/env.ts only"],
  ["apps/server/main.ts", 'import { env } from "node:process";', "use the global process"],
  ["packages/core/src/a.ts", "const now = Date.now();", "core takes time and chance from the context"],
  ["packages/core/src/a.ts", "const now = new Date();", "core takes time and chance from the context"],
  ["packages/core/src/a.ts", "const now = new Date;", "core takes time and chance from the context"],
  ["packages/core/src/a.ts", "const dice = Math.random();", "core takes time and chance from the context"],
  ["packages/core/src/a.ts", "const start = performance.now();", "core takes time and chance from the context"],
  ["packages/core/src/a.ts", "const now = Temporal.Now.instant();", "core takes time and chance from the context"],
  ["packages/api/src/a.ts", "const { pid } = process.versions;", "the contract touches no process"],
  [
    "packages/core/src/orders/a.ts",
    'import { x } from "../instances/set-desired.ts";',
    "a domain is entered through its index.ts",
  ],
  [
    "packages/core/src/index.ts",
    'export { x } from "./instances/set-desired.ts";',
    "a domain is entered through its index.ts",
  ],
  [
    "packages/core/src/instances/a.ts",
    'import { x } from "../orders/index.ts";',
    "instances may not import orders: it stands above",
  ],
  [
    "packages/core/src/events/a.ts",
    'import { x } from "../accounts/index.ts";',
    "events may not import accounts: it stands above",
  ],
  [
    "packages/core/src/money.ts",
    'import { x } from "./billing/index.ts";',
    "the foundation may not know the domain billing",
  ],
  ["packages/core/src/carts/a.ts", "export {};", "the domain carts has no place in the line"],
  ["packages/core/src/orders/a.ts", 'import { x } from "../index.ts";', "core's own index.ts is for other packages"],
])("%s with %s is refused", (path, text, message) => {
  const found = verdict({ [path]: text });
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(message);
});

test.each([
  ["apps/server/env.ts", "const url = process.env.DATABASE_URL;"],
  ["packages/db/src/migrate-cli.ts", 'const url = process.env["DATABASE_URL"];'],
  ["packages/core/src/clock.ts", "const now = Date.now();"],
  ["packages/core/src/a.ts", "const then = new Date(0);"],
  ["packages/core/src/a.ts", "interface Window { readonly from: Date }"],
  ["packages/core/src/a.ts", "// Nothing here calls Date.now() or reads process.env."],
  ["packages/core/src/a.ts", 'const text = "new Date()";'],
  [
    "packages/core/src/a.test.ts",
    'import { createTestDatabase } from "@sewa/db/testing";\nimport fc from "fast-check";\nconst now = Date.now();',
  ],
  ["packages/core/src/orders/a.ts", 'import { x } from "../instances/index.ts";\nimport { y } from "../money.ts";'],
  ["packages/core/src/accounts/test-accounts.ts", 'import { given } from "../testing/given.ts";'],
  ["packages/core/src/instances/a.test.ts", 'import { x } from "../orders/index.ts";'],
  ["packages/provisioner/src/a.test.ts", 'import { startDevcluster } from "@sewa/devcluster";'],
  ["packages/devcluster/src/a.ts", 'import { createServer } from "node:http";\nimport { b } from "./b.ts";'],
  ["tests/system/a.ts", 'import { x } from "@sewa/core";\nimport { y } from "../given.ts";'],
])("%s with %s is allowed", (path, text) => {
  expect(verdict({ [path]: text })).toEqual([]);
});

test("files in a circle are refused, and a circle of types is not", () => {
  const circle = {
    "packages/core/src/a.ts": 'import { b } from "./b.ts";',
    "packages/core/src/b.ts": 'export { a } from "./a.ts";',
  };
  expect(verdict(circle)).toEqual([
    "files in a circle: packages/core/src/a.ts -> packages/core/src/b.ts -> packages/core/src/a.ts",
  ]);
  expect(verdict({ ...circle, "packages/core/src/b.ts": 'import type { a } from "./a.ts";' })).toEqual([]);
});

test("two domains beside each other may not need one another, not even by types", () => {
  const found = verdict({
    "packages/core/src/wallet/a.ts": 'import { x } from "../catalog/index.ts";',
    "packages/core/src/catalog/b.ts": 'import type { y } from "../wallet/index.ts";',
  });
  expect(found).toEqual(["domains in a circle: wallet -> catalog -> wallet"]);
});

test("each circle is found once, wherever the search begins", () => {
  const graph: Record<string, string[]> = { a: ["b"], b: ["c"], c: ["b", "d"], d: [], e: ["e"] };
  expect(findCircles(Object.keys(graph), (node) => graph[node] ?? [])).toEqual([
    ["b", "c", "b"],
    ["e", "e"],
  ]);
});

test("all forms of import are seen, with their line, and none where there is none", () => {
  const text = [
    'import "side-effect";',
    "import type {",
    "  One,",
    "  Two,",
    '} from "types";',
    "export { three } from 'single';",
    'export * as four from "star";',
    "const five = await import(`lazy`);",
    'type Six = import("inline").Six;',
    "// import comment from 'comment';",
    "const text = `import inside from 'template'; ${await import('expression')}`;",
    'const pattern = /import x from "regex"/;',
    'const from = "import y from \\"string\\"";',
    "export const seven = 7;",
  ].join("\n");
  expect(parseSource("a.ts", text).imports.map(({ specifier, line, typeOnly }) => [specifier, line, typeOnly])).toEqual(
    [
      ["side-effect", 1, false],
      ["types", 5, true],
      ["single", 6, false],
      ["star", 7, false],
      ["lazy", 8, false],
      ["inline", 9, false],
      ["expression", 11, false],
    ],
  );
});

test("blanking keeps length, lines and code, through nested templates, regular expressions and divisions", () => {
  const text = 'a = `x ${ {b: `y ${c} z`} } w` + d / 2 / e; // f\ng = /[/"]\'/.test(h) ? \'i\' : "\\"j"; /* k\n*/ l';
  const code = maskNonCode(text);
  expect(code).toHaveLength(text.length);
  expect(code.replaceAll(/ +/g, " ")).toBe(
    "a = ` ${ {b: ` ${c} `} } ` + d / 2 / e; \ng = / /.test(h) ? ' ' : \" \"; \n l",
  );
});
