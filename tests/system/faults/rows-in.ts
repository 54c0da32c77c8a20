import { globSync, readFileSync } from "node:fs";

/** A test says first which rows it makes real: "K1 Q1 killed …". */
const title = /["'`]((?:[KQPWTO]\d+ )+)(?=\S)/g;

/** The rows that the tests of the house name, and in which files. Run from the repository's root. */
export function findRows(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of globSync("{apps,packages,tests}/**/*.test.ts", { exclude: ["**/node_modules/**"] }))
    for (const [, ids = ""] of readFileSync(file, "utf8").matchAll(title))
      for (const id of ids.trim().split(" ")) found.set(id, (found.get(id) ?? new Set()).add(file));
  return found;
}
