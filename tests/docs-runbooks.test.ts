import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createWorkerPool } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL("../docs/runbooks", import.meta.url));
const FENCE = /^\s*```sql\n(.*?)^\s*```/gms;
const INLINE = /`((?:set role|select) [^`]*;)`/g;

/** The statements that a page tells people to run, without those that make roles. */
function statementsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(FENCE), ...text.matchAll(INLINE)].map((match) => match[1] ?? "");
  return blocks
    .flatMap((block) => block.split(";").map((part) => part.trim()))
    .filter((part) => /^(select|set|update|delete|insert)\b/.test(part));
}

test("every statement of the runbooks runs on the schema as it is", async () => {
  await using database = await createTestDatabase();
  await using pool = createWorkerPool({ url: database.url, max: 1 });
  const pages = (await readdir(folder)).filter((name) => name.endsWith(".md"));
  let ran = 0;
  for (const page of pages) {
    for (const statement of statementsOf(await readFile(`${folder}/${page}`, "utf8"))) {
      await pool.query("begin");
      // Where a page has this word, whoever follows it puts an id.
      const asked = statement.replaceAll("'UUID'", "'00000000-0000-7000-8000-000000000000'");
      await pool.query(asked).catch((cause: unknown) => {
        throw new Error(`docs/runbooks/${page}: ${statement}`, { cause });
      });
      await pool.query("rollback");
      ran += 1;
    }
  }
  expect(ran).toBeGreaterThan(5);
});
