import { randomUUID } from "node:crypto";
import { connectDatabase, type Database } from "@sewa/db";
import type { House } from "./house.ts";

/** A table without any meaning, and what the least possible transaction over it costs. */
export interface Floor extends AsyncDisposable {
  /** One transaction with so many inserts of one row each, through the same driver as everything else. */
  inserts(rows: number): Promise<void>;
  /** One transaction with one update of a row that is there and that nobody else updates. */
  update(row: number): Promise<void>;
}

/** A body of the size of a typical row of ours. */
const body = "x".repeat(200);
const rowsForUpdates = 64;

export async function openFloor({ database, url }: House): Promise<Floor> {
  await asOwner(url, async (owner) => {
    await owner.drizzle.execute("create table bench_rows (id uuid primary key, body text not null)");
    await owner.drizzle.execute("create table bench_counters (id int primary key, value int not null)");
    await owner.drizzle.execute("grant select, insert, update on bench_rows, bench_counters to sewa_worker");
  });
  const { drizzle } = database;
  await drizzle.execute(`insert into bench_counters select n, 0 from generate_series(0, ${rowsForUpdates - 1}) n`);
  return {
    inserts: (rows) =>
      drizzle.transaction(async (tx) => {
        for (let row = 0; row < rows; row += 1) {
          await tx.execute(`insert into bench_rows values ('${randomUUID()}', '${body}')`);
        }
      }),
    update: (row) =>
      drizzle.transaction(async (tx) => {
        await tx.execute(`update bench_counters set value = value + 1 where id = ${row % rowsForUpdates}`);
      }),
    async [Symbol.asyncDispose]() {
      await asOwner(url, (owner) => owner.drizzle.execute("drop table bench_rows, bench_counters"));
    },
  };
}

async function asOwner(url: string, work: (owner: Database) => Promise<unknown>): Promise<void> {
  await using owner = connectDatabase({ url, role: "sewa_owner", max: 1 });
  await work(owner);
}

/** Rows of all our tables and of the job table: the difference before and after says how much a verb writes. */
export async function countRows({ database }: House): Promise<number> {
  const tables = await database.drizzle.execute<{ name: string }>(`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname = 'public' and tablename <> 'sewa_migrations' or tablename = '_private_jobs'`);
  const counts = tables.map(({ name }) => `select count(*) as rows from ${name}`).join(" union all ");
  const [sum] = await database.drizzle.execute<{ rows: string }>(`select sum(rows)::text as rows from (${counts}) c`);
  return Number(sum?.rows ?? 0);
}
