import { sql } from "drizzle-orm";
import { integer, pgTable, unique } from "drizzle-orm/pg-core";
import pg from "pg";
import { mkdtempSync, rmSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { connectDatabase, createWorkerPool, databaseErrorOf } from "./index.ts";
import { startEmbeddedPostgres } from "./embedded/index.ts";
import { createTestDatabase } from "./testing/index.ts";

async function asSuperuser(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

const terminate = (application: string): string =>
  `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${application}'`;

test("every session has the role and the limits that were asked for", async () => {
  await using test = await createTestDatabase();
  await using database = connectDatabase({
    url: test.url,
    role: "sewa_app",
    applicationName: "limits",
    statementTimeoutMs: 4_000,
    lockTimeoutMs: 3_000,
    idleInTransactionTimeoutMs: 5_000,
  });
  const settings = sql`select current_user::text as role, current_setting('application_name') as name,
    current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
    current_setting('idle_in_transaction_session_timeout') as idle`;
  const expected = { role: "sewa_app", name: "limits", statement: "4s", lock: "3s", idle: "5s" };
  expect([...(await database.drizzle.execute(settings))]).toEqual([expected]);
  await asSuperuser(test.url, terminate("limits"));
  await vi.waitFor(() => database.ping(), { timeout: 5_000, interval: 20 });
  expect([...(await database.drizzle.execute(settings))]).toEqual([expected]);
});

test("sewa_app has no door into graphile-worker's tables, and sewa_worker has", async () => {
  await using test = await createTestDatabase();
  await using app = connectDatabase({ url: test.url, role: "sewa_app" });
  await using worker = connectDatabase({ url: test.url, role: "sewa_worker" });
  const jobs = sql`select count(*)::int as n from graphile_worker.jobs`;
  const refused = await app.drizzle.execute(jobs).catch((error: unknown) => error);
  expect(databaseErrorOf(refused)).toEqual({ code: "42501", constraint: null });
  expect([...(await worker.drizzle.execute(jobs))]).toEqual([{ n: 0 }]);
});

test("a hurt constraint is found inside of Drizzle's error, and other errors are not taken for one", async () => {
  await using test = await createTestDatabase();
  await using database = connectDatabase({ url: test.url, role: "sewa_owner" });
  const seats = pgTable("seats", { number: integer() }, (table) => [unique("seats_number").on(table.number)]);
  await database.drizzle.execute(sql`create table seats (number integer constraint seats_number unique)`);
  await database.drizzle.insert(seats).values({ number: 1 });
  const error = await database.drizzle
    .insert(seats)
    .values({ number: 1 })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  expect(databaseErrorOf(error)).toEqual({ code: "23505", constraint: "seats_number" });
  expect(databaseErrorOf(Object.assign(new Error("broken pipe"), { code: "EPIPE" }))).toBeNull();
  expect(databaseErrorOf("23505")).toBeNull();
});

test("P15 a listener comes back when its connection is cut, says so, and hears again", async () => {
  await using test = await createTestDatabase();
  await using database = connectDatabase({ url: test.url, role: "sewa_app", applicationName: "cut" });
  const heard: string[] = [];
  let connected = 0;
  const subscription = await database.listen(
    "news",
    (payload) => heard.push(payload),
    () => (connected += 1),
  );
  expect(connected).toBe(1);
  await database.drizzle.execute(sql`select pg_notify('news', 'first')`);
  await vi.waitUntil(() => heard.includes("first"), { timeout: 5_000, interval: 10 });
  await asSuperuser(test.url, terminate("cut"));
  await vi.waitUntil(() => connected === 2, { timeout: 15_000, interval: 10 });
  await vi.waitFor(() => database.ping(), { timeout: 5_000, interval: 20 });
  await database.drizzle.execute(sql`select pg_notify('news', 'second')`);
  await vi.waitUntil(() => heard.includes("second"), { timeout: 5_000, interval: 10 });
  await subscription.close();
  await database.drizzle.execute(sql`select pg_notify('news', 'third')`);
  await database.ping();
  expect(heard).toEqual(["first", "second"]);
});

test("a listener comes back after the whole server was away", async () => {
  const home = mkdtempSync(join(tmpdir(), "sewa-listen-test-"));
  chmodSync(home, 0o755);
  try {
    const first = await startEmbeddedPostgres({ dataDir: join(home, "postgres"), durable: false });
    await asSuperuser(first.url, "create role sewa_app");
    await using database = connectDatabase({ url: first.url, role: "sewa_app" });
    const heard: string[] = [];
    let connected = 0;
    await database.listen(
      "news",
      (payload) => heard.push(payload),
      () => (connected += 1),
    );
    await first.stop();
    await expect(database.ping()).rejects.toThrow(/ECONNREFUSED|CONNECTION/);
    await using second = await startEmbeddedPostgres({
      dataDir: join(home, "postgres"),
      durable: false,
      port: Number(new URL(first.url).port),
    });
    await vi.waitUntil(() => connected >= 2, { timeout: 20_000, interval: 20 });
    await asSuperuser(second.url, "select pg_notify('news', 'back')");
    await vi.waitUntil(() => heard.includes("back"), { timeout: 5_000, interval: 10 });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test("the worker's pool is sewa_worker and outlives cut connections", async () => {
  await using test = await createTestDatabase();
  const errors: Error[] = [];
  await using pool = createWorkerPool({
    url: test.url,
    max: 2,
    applicationName: "pool",
    onError: (error) => errors.push(error),
  });
  expect((await pool.query("select current_user::text as role")).rows).toEqual([{ role: "sewa_worker" }]);
  await asSuperuser(test.url, terminate("pool"));
  await vi.waitUntil(() => errors.length > 0, { timeout: 5_000, interval: 10 });
  expect((await pool.query("select current_user::text as role")).rows).toEqual([{ role: "sewa_worker" }]);
});
