import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** One SQL file of the migrations folder. */
export interface MigrationFile {
  /** File name without `.sql`, for example `0003_orders`. */
  readonly name: string;
  /** sha256 of the text with line feeds only, so that a checkout with other line ends has the same. */
  readonly hash: string;
  readonly statements: readonly MigrationStatement[];
  readonly inTransaction: boolean;
}

export interface MigrationStatement {
  readonly sql: string;
  /** Line of the file on which the statement's text begins, from 1. */
  readonly line: number;
}

/** A row of `sewa_migrations`. */
export interface AppliedMigration {
  readonly name: string;
  readonly hash: string;
}

/** A refusal or a failure that a person has to settle. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

const FILE_NAME = /^(\d{4})_[a-z0-9_-]+\.sql$/;
const BREAKPOINT = "--> statement-breakpoint";
const NO_TRANSACTION = "-- sewa:no-transaction";

/** Reads the folder in order of the numbers. Throws `MigrationError` on a name out of the pattern or a number used twice. */
export async function readMigrationFiles(folder: string): Promise<readonly MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const seen = new Map<string, string>();
  for (const name of names) {
    const number = FILE_NAME.exec(name)?.[1];
    if (number === undefined) throw new MigrationError(`${name}: a migration is named like 0003_what_it_does.sql.`);
    const twin = seen.get(number);
    if (twin !== undefined)
      throw new MigrationError(`${twin} and ${name} have the same number. Renumber the one not yet applied anywhere.`);
    seen.set(number, name);
  }
  return Promise.all(names.map(async (name) => parseMigration(name, await readFile(join(folder, name), "utf8"))));
}

export function parseMigration(fileName: string, raw: string): MigrationFile {
  const text = raw.replaceAll("\r\n", "\n");
  const statements: MigrationStatement[] = [];
  let line = 1;
  for (const part of text.split(BREAKPOINT)) {
    const leading = /^\s*/.exec(part)?.[0] ?? "";
    if (part.trim() !== "") statements.push({ sql: part.trim(), line: line + newlines(leading) });
    line += newlines(part);
  }
  return {
    name: fileName.replace(/\.sql$/, ""),
    hash: createHash("sha256").update(text).digest("hex"),
    statements,
    inTransaction: !text.startsWith(NO_TRANSACTION),
  };
}

/**
 * What is still to be applied. The applied ones have to be the first files, unchanged: everything else means that two
 * databases with the same list of migrations could differ, so it throws `MigrationError` and nothing is applied.
 */
export function decidePending(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): readonly MigrationFile[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  for (const { name, hash } of applied) {
    const file = byName.get(name);
    if (file === undefined) {
      throw new MigrationError(
        `${name} was applied to this database and its file is missing: the code is older than the database.`,
      );
    }
    if (file.hash !== hash) {
      throw new MigrationError(`${name} was changed after it had been applied. Put it back and write a new migration.`);
    }
  }
  const done = new Set(applied.map(({ name }) => name));
  const pending = files.filter(({ name }) => !done.has(name));
  const last = applied
    .map(({ name }) => name)
    .sort()
    .at(-1);
  const late = pending.find(({ name }) => last !== undefined && name < last);
  if (late !== undefined) {
    throw new MigrationError(
      `${late.name} is new and comes before ${last}, which is already applied. Give it the next free number.`,
    );
  }
  return pending;
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}
