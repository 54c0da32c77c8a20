import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/**
 * What is not shown by examples but by random histories, held against something far simpler; the number of runs of each change.
 * A test names its row at the beginning of its name, and runs as often as that, times PROPERTY_FACTOR.
 */
const properties: Readonly<Record<string, { readonly about: string; readonly runs: number }>> = {
  F1: { about: "periods, counted from the anchor and walked", runs: 2_000 },
  F2: { about: "periods, in TypeScript and in PostgreSQL", runs: 1_000 },
  F3: { about: "money that is split: shares, taxes, coupons", runs: 5_000 },
  F4: { about: "the ledger, against a model of sums", runs: 100 },
  F5: { about: "the life of a subscription, against its machine", runs: 100 },
  F9: { about: "calls with one key", runs: 300 },
  F10: { about: "notices of a gateway, permuted and repeated", runs: 500 },
  F11: { about: "what is measured, with gaps, repeats and late", runs: 500 },
  F16: { about: "the guard before addresses that others name", runs: 2_000 },
  F18: { about: "inputs made from the schema of each procedure, right and broken", runs: 200 },
  F21: { about: "secrets closed by the keys of organizations", runs: 1_000 },
  F22: { about: "secrets that got into what is told", runs: 1_000 },
};

/** Names of tests, before their variables are known, and the number of runs that their file says. */
function namedTests(): readonly { readonly id: string; readonly runs: number; readonly hasFactor: boolean }[] {
  return globSync("{apps,packages,tests}/**/*.test.ts", { exclude: ["**/node_modules/**"] }).flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const [, runs = "0"] = /const runs = ([\d_]+) \* Number\(process\.env\["PROPERTY_FACTOR"\]/.exec(text) ?? [];
    return [...text.matchAll(/test\(\s*["'`]((?:[A-Z]+\d+ )+)[^`"]*(\$\{runs\} runs\))?/g)].flatMap(
      ([name, ids = ""]) =>
        ids
          .trim()
          .split(" ")
          .filter((id) => /^F\d+$/.test(id))
          .map((id) => ({ id, runs: Number(runs.replaceAll("_", "")), hasFactor: name.includes("${runs}") })),
    );
  });
}

test("each property has a test that names it and says how often it runs, no less than is asked for and as often as one likes", () => {
  const found = namedTests();
  expect(new Set(found.map(({ id }) => id))).toEqual(new Set(Object.keys(properties)));
  for (const { id, runs, hasFactor } of found) {
    expect({ id, isEnough: runs >= properties[id]!.runs, hasFactor }).toEqual({ id, isEnough: true, hasFactor: true });
  }
});
