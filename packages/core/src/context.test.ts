import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connectDatabase } from "@sewa/db";
import { connectAsSuperuser } from "@sewa/db/testing";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { createContext, type Tx } from "./context.ts";
import { DomainError } from "./errors.ts";
import { givenCustomer } from "./testing/given.ts";
import { type TestCore, testCore } from "./testing/test-core.ts";

/** Everybody waits until `count` are here; who comes later does not wait. */
function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let here = 0;
  return () => {
    here += 1;
    if (here === count) resolve();
    return promise;
  };
}

async function givenCounters(core: TestCore): Promise<void> {
  await core.database.drizzle.execute(
    sql`insert into attempt_counters (key, count, window_ends_at) values ('a', 0, now()), ('b', 0, now())`,
  );
}

async function readCounters(core: TestCore): Promise<Readonly<Record<string, number>>> {
  const rows = await core.database.drizzle.execute<{ key: string; count: string }>(
    "select key, count from attempt_counters order by key",
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, Number(count)]));
}

const raise = (tx: Tx, key: string): PromiseLike<unknown> =>
  tx.sql.execute(sql`update attempt_counters set count = count + 1 where key = ${key}`);

test("P6 transactions that lock each other out are undone and done again, each once, and nobody sees it", async () => {
  await using core = await testCore();
  await givenCounters(core);
  const meet = meeting(2);
  let tries = 0;
  let committed = 0;
  const cross = (first: string, second: string): Promise<void> =>
    core.ctx.transaction(async (tx) => {
      tries += 1;
      tx.afterCommit.push(() => (committed += 1));
      await raise(tx, first);
      await meet();
      await raise(tx, second);
    });
  await Promise.all([cross("a", "b"), cross("b", "a")]);
  expect(await readCounters(core)).toEqual({ a: 2, b: 2 });
  expect({ tries, committed }).toEqual({ tries: 3, committed: 2 });
});

test("a call whose statement was made ready before a migration changed what it answers is done again, and nobody sees it", async () => {
  await using core = await testCore();
  await givenCounters(core);
  await using owner = connectAsSuperuser(core.url);
  const read = (key: string): Promise<unknown> =>
    core.ctx.transaction(async ({ sql: db }) => {
      // The connection that waits is the one that was used last.
      const [row] = await db.execute(sql`select count from attempt_counters where key = ${key}`);
      return row?.["count"];
    });
  // As text, which is how the driver answers big whole numbers.
  expect(await read("a")).toBe("0");
  await owner.drizzle.execute("alter table attempt_counters alter column count type integer");
  expect(await read("a")).toBe(0);
  expect(await read("b")).toBe(0);
});

test("P6 a transaction that cannot be put in order with another is done again on what that one left", async () => {
  await using core = await testCore();
  await givenCounters(core);
  const meet = meeting(2);
  const copy = (from: string, to: string): Promise<void> =>
    core.ctx.transaction(async (tx) => {
      await tx.sql.execute("set transaction isolation level serializable");
      const [row] = await tx.sql.execute<{ count: string }>(
        sql`select count from attempt_counters where key = ${from}`,
      );
      await meet();
      await tx.sql.execute(sql`update attempt_counters set count = ${Number(row?.count)} + 1 where key = ${to}`);
    });
  await Promise.all([copy("a", "b"), copy("b", "a")]);
  // One after the other: 0 + 1 and then 1 + 1. Side by side it would have been 1 and 1.
  expect(Object.values(await readCounters(core)).toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2]);
});

test("P6 what a transaction refuses itself is not done again", async () => {
  await using core = await testCore();
  let tries = 0;
  const refused = core.ctx.transaction(() => {
    tries += 1;
    throw new DomainError("CONFLICT", "No.");
  });
  await expect(refused).rejects.toMatchObject({ code: "CONFLICT" });
  expect(tries).toBe(1);
});

/** Passes everything on to the database and counts the flights: how often somebody asks after an answer. */
async function countingProxy(url: string): Promise<AsyncDisposable & { readonly url: string; flights: number }> {
  const { port, hostname } = new URL(url);
  const sockets = new Set<Socket>();
  let isAnswered = true;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) sockets.add(socket.on("error", () => socket.destroy()));
    client.on("data", () => {
      if (isAnswered) proxy.flights += 1;
      isAnswered = false;
    });
    upstream.on("data", () => (isAnswered = true));
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const proxy = {
    url: url.replace(`:${port}/`, `:${(server.address() as AddressInfo).port}/`),
    flights: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
  return proxy;
}

test("a transaction is begun and bound to its customer in one flight", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx, { testClock: true });
  await using proxy = await countingProxy(core.url);
  await using db = connectDatabase({ url: proxy.url, role: "sewa_app", max: 1 });
  const near = createContext({ ...core.ctx, db }, ctx);
  await db.ping();
  const flightsOf = async (work: (tx: Tx) => Promise<unknown>): Promise<number> => {
    const before = proxy.flights;
    await near.transaction(work);
    return proxy.flights - before;
  };
  const ask = (tx: Tx): PromiseLike<unknown> => tx.sql.execute("select 1");
  // One to begin and to bind, and one to commit.
  expect(await flightsOf(async () => undefined)).toBe(2);
  expect(await flightsOf(async (tx) => ask(tx))).toBe(3);
});
