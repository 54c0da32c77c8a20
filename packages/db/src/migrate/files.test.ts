import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decidePending, MigrationError, parseMigration, readMigrationFiles } from "./files.ts";

const file = (name: string, sql = `select '${name}'`) => parseMigration(`${name}.sql`, sql);
const applied = (name: string, sql?: string) => ({ name, hash: file(name, sql).hash });

test("statements are split at the breakpoints and know their lines", () => {
  const parsed = parseMigration(
    "0000_a.sql",
    "create table a ();\n--> statement-breakpoint\n\ncreate table b ();\n--> statement-breakpoint\n",
  );
  expect(parsed.statements).toEqual([
    { sql: "create table a ();", line: 1 },
    { sql: "create table b ();", line: 4 },
  ]);
  expect(parsed).toMatchObject({ name: "0000_a", inTransaction: true });
});

test("a file that says so in its first line runs outside of a transaction", () => {
  expect(parseMigration("0000_a.sql", "-- sewa:no-transaction\nselect 1").inTransaction).toBe(false);
  expect(parseMigration("0000_a.sql", "select 1 -- sewa:no-transaction").inTransaction).toBe(true);
});

test("the hash sees each character but no line ends", () => {
  expect(file("0000_a", "a\r\nb").hash).toBe(file("0000_a", "a\nb").hash);
  expect(file("0000_a", "a\nb ").hash).not.toBe(file("0000_a", "a\nb").hash);
});

test("what is pending is what comes after the applied files", () => {
  const files = [file("0000_a"), file("0001_b"), file("0002_c")];
  expect(decidePending(files, []).map(({ name }) => name)).toEqual(["0000_a", "0001_b", "0002_c"]);
  expect(decidePending(files, [applied("0000_a"), applied("0001_b")]).map(({ name }) => name)).toEqual(["0002_c"]);
  expect(decidePending(files, files)).toEqual([]);
});

test.each([
  ["a changed file", [file("0000_a", "select 2")], [applied("0000_a")], "0000_a was changed"],
  ["a missing file", [file("0001_b")], [applied("0000_a"), applied("0001_b")], "its file is missing"],
  ["a late file", [file("0000_a"), file("0001_b")], [applied("0001_b")], "0000_a is new and comes before 0001_b"],
])("%s is refused", (_what, files, done, message) => {
  expect(() => decidePending(files, done)).toThrow(MigrationError);
  expect(() => decidePending(files, done)).toThrow(message);
});

test("names out of the pattern and numbers used twice are refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sewa-migrations-"));
  try {
    await writeFile(join(folder, "0001_b.sql"), "");
    await writeFile(join(folder, "0000_a.sql"), "");
    await writeFile(join(folder, "notes.md"), "no migration");
    expect((await readMigrationFiles(folder)).map(({ name }) => name)).toEqual(["0000_a", "0001_b"]);
    await writeFile(join(folder, "0001_c.sql"), "");
    await expect(readMigrationFiles(folder)).rejects.toThrow("0001_b.sql and 0001_c.sql have the same number");
    await rm(join(folder, "0001_c.sql"));
    await writeFile(join(folder, "fix.sql"), "");
    await expect(readMigrationFiles(folder)).rejects.toThrow("fix.sql");
  } finally {
    await rm(folder, { recursive: true });
  }
});
