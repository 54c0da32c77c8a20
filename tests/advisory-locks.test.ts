import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const ofTheSession = /\bpg_(?:try_)?advisory_(?:lock|unlock)(?:_shared|_all)?\b/;

test("P17 a lock of the session is taken by the migrator alone, on its one connection: through a pool it would be given back by another", () => {
  const files = globSync("{apps,packages}/**/*.{ts,sql}", {
    cwd: root,
    exclude: ["**/node_modules/**", "**/*.test.ts"],
  });
  const found = files.filter((file) => ofTheSession.test(readFileSync(`${root}/${file}`, "utf8")));
  expect(found).toEqual(["packages/db/src/migrate/migrate.ts"]);
});
