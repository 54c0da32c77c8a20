import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDatabase, createWorkerPool } from "@sewa/db";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@sewa/db/embedded";
import type { Client } from "@sewa/dev";
import { createServerLog, readEnv, startServer, toServerOptions } from "@sewa/server";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type House, isUp, order, startHouse, until } from "../house.ts";
import { type Crew, startCrew } from "./crew.ts";
import { toUuid } from "./life.ts";
import { type Proxy, startProxy } from "./proxy.ts";
import { declaredObjects, findDangling, readStory } from "./world.ts";

// A PostgreSQL of this file's own, to be stopped and crashed. Workers reach it through a proxy, the server directly.
const stack = new AsyncDisposableStack();
const home = mkdtempSync(join(tmpdir(), "sewa-outage-"));
let postgres: EmbeddedPostgres;
let house: House;
let proxy: Proxy;
let crew: Crew;
let client: Client;

beforeAll(async () => {
  chmodSync(home, 0o755);
  stack.defer(() => rmSync(home, { recursive: true, force: true }));
  postgres = await startEmbeddedPostgres({ dataDir: join(home, "postgres") });
  stack.defer(() => postgres.stop());
  house = stack.use(await startHouse({ workers: 0, databaseUrl: postgres.url }));
  const direct = new URL(postgres.url);
  proxy = stack.use(await startProxy({ host: direct.hostname, port: Number(direct.port) }));
  direct.port = String(proxy.port);
  crew = stack.use(await startCrew({ ...house.parts.env, DATABASE_URL: direct.href }));
}, 120_000);
afterAll(() => stack.disposeAsync(), 60_000);

beforeEach(async () => void (client = await house.customer()), 60_000);
afterEach(() => client[Symbol.asyncDispose]());

/** By the user that connects, who may do everything; answers the rows of the last statement. */
async function asSuperuser<T extends object>(...statements: readonly string[]): Promise<T[]> {
  await using pool = createWorkerPool({ url: postgres.url, max: 1, applicationName: "superuser" });
  await pool.query("set role none");
  let rows: T[] = [];
  for (const statement of statements) rows = (await pool.query<T>(statement)).rows;
  return rows;
}

const endSessions = (condition: string): Promise<object[]> =>
  asSuperuser(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity where pid <> pg_backend_pid() and ${condition}`,
  );

const unavailable = { data: { appCode: "UNAVAILABLE", httpStatus: 503, retryAfterSeconds: 2 } };

async function statusOf(path: string, url = house.servers[0]!.url): Promise<number> {
  const response = await fetch(`${url}${path}`);
  await response.text();
  return response.status;
}

async function retryAfter(url = house.servers[0]!.url): Promise<string | null> {
  const response = await fetch(`${url}/trpc/offerings.list?input=${encodeURIComponent('{"json":{}}')}`);
  expect(response.status).toBe(503);
  return response.headers.get("retry-after");
}

const refusalOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "served",
    (error: unknown) => error,
  );

async function countOrders(): Promise<number> {
  return (await client.api.orders.list.query({ limit: 100 })).items.length;
}

/** Everything that an order needs; what is sent is the same each time, so that it is one order however often it is tried. */
async function prepareOrder(): Promise<() => ReturnType<typeof order>> {
  const { items } = await client.api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find(({ price }) => price?.amountMinor === 0n)!;
  const quote = await until("there is room", async () => {
    const asked = await client.api.orders.quote.query({ planId: plan.id, parameters: {} });
    return asked.capacity.fits ? asked : null;
  });
  const input = { planId: plan.id, parameters: {}, name: "App", priceKey: quote.priceKey };
  const idempotencyKey = `order-${crypto.randomUUID()}`;
  return () => client.api.orders.place.mutate({ ...input, idempotencyKey });
}

type Subscription = Awaited<ReturnType<typeof order>>["subscription"];

const patienceMs = 100_000;

const comesUp = ({ instanceId }: Subscription): Promise<unknown> =>
  until("the app is up", async () => isUp(await client.api.instances.get.query({ instanceId })) || null, patienceMs);

/** There was one of each; the app is ended, and nothing of it is left, in the cluster, in the queue or in the books. */
async function endsClean(
  { id: subscriptionId, instanceId }: Subscription,
  between: readonly string[] = [],
): Promise<void> {
  const objects = declaredObjects(house.parts.devcluster!, toUuid("instance", instanceId));
  for (const kind of ["Namespace", "PersistentVolumeClaim", "Secret", "Service"])
    expect(objects.filter((line) => line.startsWith(`${kind} `))).toHaveLength(1);
  const idempotencyKey = `end-${crypto.randomUUID()}`;
  await client.api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey });
  await until("nothing dangles", async () => (await findDangling(house)).length === 0 || null, patienceMs).catch(
    async (error: unknown) => {
      throw new Error(`Dangling: ${(await findDangling(house)).join(", ")}`, { cause: error });
    },
  );
  const { organization } = await client.api.auth.me.query();
  const { operations, gaps } = await readStory(postgres.url, toUuid("organization", organization.id));
  expect({ operations, gaps }).toEqual({
    operations: ["provision succeeded", ...between, "deprovision succeeded"],
    gaps: 0,
  });
}

// The first one, because the table has to be empty: what it is exchanged for holds nothing.
test.runIf(existsSync("/dev/full"))(
  "P12 a disk that is full refuses what writes, answers what reads, keeps nothing by halves, and all goes on when there is room",
  async () => {
    const place = await prepareOrder();
    const [file] = await asSuperuser<{ path: string }>("select pg_relation_filepath('orders') as path");
    const path = join(postgres.dataDir, file!.path);
    renameSync(path, `${path}.saved`);
    symlinkSync("/dev/full", path);
    // Whoever has the file open goes on with it.
    await endSessions("datname = current_database()");
    try {
      await until("it is noticed", async () => (await statusOf("/readyz")) === 200 || null);
      // More often than the server has connections that it may not know yet to be gone.
      for (let count = 0; count < 12; count += 1) expect(await refusalOf(place())).toMatchObject(unavailable);
      expect(await countOrders()).toBe(0);
      expect((await client.api.invoices.list.query({})).items).toEqual([]);
    } finally {
      unlinkSync(path);
      renameSync(`${path}.saved`, path);
      await endSessions("datname = current_database()");
    }
    const { subscription } = await until("there is room", () => place().catch(() => null));
    expect(await countOrders()).toBe(1);
    await comesUp(subscription);
    await endsClean(subscription);
  },
  120_000,
);

test("P13 a database that is read-only refuses what writes with a time to come back, and nothing is done by halves", async () => {
  const place = await prepareOrder();
  await asSuperuser("alter system set default_transaction_read_only = on", "select pg_reload_conf()");
  try {
    await until("it is noticed", async () => {
      const [row] = await asSuperuser<{ on: string }>("show default_transaction_read_only");
      return Object.values(row!)[0] === "on" || null;
    });
    expect(await refusalOf(place())).toMatchObject(unavailable);
    expect(await client.api.auth.me.query()).toMatchObject({ isOperator: false });
    expect(await countOrders()).toBe(0);
  } finally {
    await asSuperuser("alter system reset default_transaction_read_only", "select pg_reload_conf()");
  }
  const { subscription } = await until("it can be written again", () => place().catch(() => null));
  expect(await countOrders()).toBe(1);
  await comesUp(subscription);
  await endsClean(subscription);
}, 120_000);

test("P5 a database without a connection left is UNAVAILABLE and not ready, and serves as soon as there is one", async () => {
  await asSuperuser(
    "create role lodger login password 'lodger'",
    "grant sewa_app to lodger with set true, inherit false",
  );
  const url = new URL(postgres.url);
  url.username = url.password = "lodger";
  const env = readEnv({ ...house.parts.env, DATABASE_URL: url.href });
  await using server = await startServer(toServerOptions(env, createServerLog({ level: "silent" })));
  expect(await statusOf("/readyz", server.url)).toBe(200);
  // As if others had taken all of them.
  await asSuperuser("alter role lodger connection limit 0");
  await endSessions("usename = 'lodger'");
  await until("it is noticed", async () => (await statusOf("/readyz", server.url)) === 503 || null);
  expect(await retryAfter(server.url)).toBe("2");
  expect(await statusOf("/healthz", server.url)).toBe(200);
  await asSuperuser("alter role lodger connection limit -1");
  expect(await statusOf("/readyz", server.url)).toBe(200);
}, 60_000);

test("P1 connections of a worker that are reset come back, and the work goes on", async () => {
  crew.forget();
  const { subscription } = await order(client, "App");
  for (const count of [1, 4, 7]) {
    await until(`${count} changes were made`, () => crew.effects.length >= count || null);
    await until("there were connections", () => proxy.reset() || null);
  }
  await comesUp(subscription);
  await endsClean(subscription);
  expect(await countOrders()).toBe(1);
}, 120_000);

test("P1 a database that crashes under load refuses with UNAVAILABLE until it is back, then serves at once, and an order stays one", async () => {
  const place = await prepareOrder();
  const refusals: unknown[] = [];
  let isOver = false;
  const busy = Array.from({ length: 6 }, async () => {
    while (!isOver) await client.api.auth.me.query().catch((error: unknown) => refusals.push(error));
  });
  const placed = until("it is placed", () => place().catch((error: unknown) => (refusals.push(error), null)));
  await using victim = createWorkerPool({ url: postgres.url, max: 1 });
  const { rows } = await victim.query<{ pid: number }>("select pg_backend_pid() as pid");
  process.kill(rows[0]!.pid, "SIGKILL"); // One session that is killed takes all others with it.
  await until("it is noticed", () => refusals.length > 0 || null);
  expect(await statusOf("/healthz")).toBe(200);
  await until("it is back", async () => (await statusOf("/readyz")) === 200 || null);
  isOver = true;
  await Promise.all(busy);
  await Promise.all(Array.from({ length: 20 }, () => client.api.auth.me.query()));
  for (const refusal of refusals) expect(refusal).toMatchObject(unavailable);
  const { subscription } = await placed;
  expect(await countOrders()).toBe(1);
  await comesUp(subscription);
  await endsClean(subscription);
}, 120_000);

test("P2 while the database is away the server lives, is not ready and says when to come back; then all goes on, for whoever was following as well", async () => {
  const { subscription } = await order(client, "App");
  await comesUp(subscription);
  const phases: string[] = [];
  const following = client.api.instances.onStatus.subscribe(
    { instanceId: subscription.instanceId },
    { onData: ({ data }) => phases.push(data.observedPhase) },
  );
  await until("the stream begins", () => phases.length > 0 || null);
  const port = Number(new URL(postgres.url).port);
  await postgres.stop();
  expect(await refusalOf(client.api.auth.me.query())).toMatchObject(unavailable);
  expect(await retryAfter()).toBe("2");
  expect(await statusOf("/readyz")).toBe(503);
  expect(await statusOf("/readyz", house.servers[0]!.internalUrl)).toBe(503);
  expect(await statusOf("/healthz")).toBe(200);
  postgres = await startEmbeddedPostgres({ dataDir: join(home, "postgres"), port });
  expect(await statusOf("/readyz")).toBe(200);
  await Promise.all(Array.from({ length: 20 }, () => client.api.auth.me.query()));
  const idempotencyKey = `stop-${crypto.randomUUID()}`;
  await client.api.instances.stop.mutate({ instanceId: subscription.instanceId, idempotencyKey });
  await until("the stream tells", () => phases.at(-1) === "stopped" || null, patienceMs);
  following.unsubscribe();
  await endsClean(subscription, ["stop succeeded"]);
}, 180_000);

test("P1 whatever a transaction does while its connection is reset, it is answered once, and the pool is whole afterwards", async () => {
  const url = new URL(postgres.url);
  url.port = String(proxy.port);
  await using database = connectDatabase({ url: url.href, role: "sewa_app", max: 5 });
  let [served, refused] = [0, 0];
  const one = (number: number): Promise<unknown> => {
    const work =
      number % 2 === 0
        ? database.drizzle.execute(sql`select ${number}::int`)
        : database.drizzle.transaction(async (tx) => {
            await tx.execute(sql`select ${number}::int`);
            await tx.execute("select pg_sleep(0.005)").catch(() => undefined);
            await new Promise((resolve) => setImmediate(resolve));
            await tx.execute(sql`select ${number}::int`);
          });
    return work.then(
      () => (served += 1),
      () => (refused += 1),
    );
  };
  for (let round = 0; round < 12; round += 1) {
    const running = Array.from({ length: 30 }, (_, number) => one(number));
    await running[round];
    proxy.reset();
    await Promise.all(running);
  }
  expect(served + refused).toBe(360);
  expect(refused).toBeGreaterThan(0);
  await Promise.all(Array.from({ length: 20 }, () => database.ping()));
}, 60_000);
