import { setTimeout } from "node:timers/promises";
import type { Sql, TransactionSql } from "postgres";
import { databaseErrorOf } from "../errors.ts";
import { MigrationError, type AppliedMigration, type MigrationFile, type MigrationStatement } from "./files.ts";

// A migration that waits for a long transaction makes everybody behind it wait too. So it waits a little, lets them through,
// and comes again.
const LOCK_TIMEOUT = "2s";
const LOCK_TRIES = 30;
const LOCK_PAUSE_MS = 1_000;
const LOCK_NOT_AVAILABLE = "55P03";

export async function readApplied(sql: Sql): Promise<readonly AppliedMigration[]> {
  await sql.begin(async (tx) => {
    await asOwner(tx);
    await tx`create table if not exists public.sewa_migrations (
      name text primary key,
      hash text not null,
      applied_at timestamptz not null default now()
    )`;
  });
  // Read as the owner too: who connects need not be able to read the tables.
  return sql.begin(async (tx) => {
    await asOwner(tx);
    return [...(await tx<AppliedMigration[]>`select name, hash from public.sewa_migrations order by name`)];
  });
}

/** Applies one file and records it. In a transaction both happen or neither; without one, a failed file has to bear being repeated. */
export async function applyMigration(sql: Sql, file: MigrationFile): Promise<void> {
  if (file.inTransaction) return patiently(() => applyWhole(sql, file));
  try {
    await sql`set role sewa_owner`;
    await sql`set search_path = public`;
    for (const statement of file.statements) await run(sql, file, statement);
  } finally {
    await sql`reset role`;
    await sql`reset search_path`;
  }
  await sql.begin(async (tx) => {
    await asOwner(tx);
    await recordApplied(tx, file);
  });
}

async function applyWhole(sql: Sql, file: MigrationFile): Promise<void> {
  await sql.begin(async (tx) => {
    await asOwner(tx);
    for (const statement of file.statements) await run(tx, file, statement);
    await asOwner(tx); // Again: the file may have changed the role.
    await closeFences(tx, file);
    await recordApplied(tx, file);
  });
}

/**
 * A file that moves rows lifts FORCE from their table, and it is put back here. A foreign key that was made behind a fence is refused:
 * PostgreSQL looks whether it holds with the eyes of the owner, who sees no row there, and would call anything valid.
 */
async function closeFences(tx: TransactionSql, file: MigrationFile): Promise<void> {
  const [unseen] = await tx<{ key: string; table: string }[]>`
    select k.conname as key, c.oid::regclass::text as table from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and k.convalidated and c.relforcerowsecurity and k.xmin = pg_current_xact_id()::xid limit 1`;
  if (unseen !== undefined) {
    const lift = `alter table ${unseen.table} no force row level security;`;
    throw new MigrationError(
      `${file.name}.sql: whether ${unseen.key} holds was asked behind the fence of ${unseen.table}. Begin the file with: ${lift}`,
    );
  }
  const lifted = await tx<{ table: string }[]>`
    select oid::regclass::text as table from pg_class
    where relnamespace = 'public'::regnamespace and relrowsecurity and not relforcerowsecurity`;
  if (lifted.length === 0) return;
  // What waits for the end of the transaction still sees what the file did, and no table can be altered while something waits.
  await tx`set constraints all immediate`;
  for (const { table } of lifted) await tx.unsafe(`alter table ${table} force row level security`);
}

/** Again, as long as nothing but a lock stands in the way. */
async function patiently(apply: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await apply();
    } catch (error) {
      if (tries === LOCK_TRIES || databaseErrorOf(error)?.code !== LOCK_NOT_AVAILABLE) throw error;
      await setTimeout(LOCK_PAUSE_MS);
    }
  }
}

async function asOwner(tx: TransactionSql): Promise<void> {
  await tx`set local role sewa_owner`;
  await tx`set local search_path = public`;
  await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
}

async function recordApplied(tx: TransactionSql, file: MigrationFile): Promise<void> {
  await tx`insert into public.sewa_migrations (name, hash) values (${file.name}, ${file.hash})`;
}

async function run(sql: Sql | TransactionSql, file: MigrationFile, statement: MigrationStatement): Promise<void> {
  try {
    await sql.unsafe(statement.sql);
  } catch (cause) {
    throw new MigrationError(
      `${file.name}.sql:${failingLine(statement, cause)}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

/** PostgreSQL counts in characters from the start of what was sent. */
function failingLine(statement: MigrationStatement, error: unknown): number {
  if (!(error instanceof Error) || !("position" in error)) return statement.line;
  const position = Number(error.position);
  return Number.isFinite(position)
    ? statement.line + statement.sql.slice(0, position).split("\n").length - 1
    : statement.line;
}
