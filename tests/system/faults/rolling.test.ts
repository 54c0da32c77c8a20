import { connectDatabase } from "@sewa/db";
import { createClient, type Client } from "@sewa/dev";
import { expect, test } from "vitest";
import { type Customer, type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { type AppProcess, startApp } from "./app-process.ts";
import { type Balancer, startBalancer } from "./balancer.ts";

const serverCount = 2;
const workerCount = 3;
const customerCount = 20;
/** Every other one follows the log of events, the rest the app's status. */
const socketsPerCustomer = 10;
const callsPerSecond = 20;
/** As in production: a server serves on for so long with its readiness off, and asks clients to open no more over their connections. */
const stopDelaySeconds = 5;

interface Following {
  /** Of events their sequence, of an app its revision. */
  readonly kind: "events" | "status";
  readonly instanceId: string;
  readonly seen: number[];
}

/** Everything that a client saw go wrong. */
type Failures = string[];

test(
  "W7 W10 Q4 servers and workers replaced one by one under load: no call fails, no job stays locked, every stream goes on without a gap",
  { timeout: 300_000 },
  async () => {
    await using house = await startHouse({ servers: 0, workers: 0 });
    await using balancer = await startBalancer();
    await using stack = new AsyncDisposableStack();
    const env = { ...house.parts.env, STOP_DELAY_SECONDS: String(stopDelaySeconds) };
    const servers = await Promise.all(Array.from({ length: serverCount }, () => addServer(env, balancer, stack)));
    const workers = await Promise.all(
      Array.from({ length: workerCount }, async () => stack.use(await startApp("worker", env))),
    );
    await until("all servers are ready", () => (balancer.readyCount() === serverCount ? true : null));

    const failures: Failures = [];
    const customers = await Promise.all(
      Array.from({ length: customerCount }, async () => stack.use(await house.customer(balancer))),
    );
    const apps = await Promise.all(
      customers.map(async (customer) => {
        const { subscription } = await order(customer);
        await reached(customer, subscription.instanceId, isUp);
        return { customer, instanceId: subscription.instanceId };
      }),
    );
    const following = apps.flatMap((app) => followAll(app, balancer, stack, failures));
    await until("every stream has begun", () => (following.every(({ seen }) => seen.length > 0) ? true : null));

    const load = startLoad(apps, failures);
    for (const worker of workers) {
      await expectOrderlyEnd(worker);
      expect(await lockedBy(house, worker.started["poolId"]!)).toEqual([]);
      stack.use(await startApp("worker", env));
    }
    for (const server of servers) {
      await expectOrderlyEnd(server);
      balancer.remove(server.started["url"]!);
      await addServer(env, balancer, stack);
      await until("the new one is ready", () => (balancer.readyCount() === serverCount ? true : null));
    }
    const { calls, changes } = await load.end();
    expect([...failures]).toEqual([]);
    expect({ calls: calls > 0, changes: changes > 0 }).toEqual({ calls: true, changes: true });

    // One more change for each app, which every socket has to hear of.
    for (const { customer, instanceId } of apps) await toggle(customer, instanceId);
    for (const { customer, instanceId } of apps) await expectUpToDate(customer, instanceId, following);
    expect([...failures]).toEqual([]);
    const jobs = await until("no job is held", async () => ((await lockedBy(house, "%")).length === 0 ? [] : null));
    expect(jobs).toEqual([]);
  },
);

/** With what it complained of, should it not be orderly. */
async function expectOrderlyEnd(app: AppProcess): Promise<void> {
  const code = await app.stop("SIGTERM");
  const complaints = app
    .output()
    .split("\n")
    .filter((line) => /"level":(50|60)/.test(line));
  expect({ code, complaints: code === 0 ? [] : complaints }).toEqual({ code: 0, complaints: [] });
}

async function addServer(
  env: Readonly<Record<string, string>>,
  balancer: Balancer,
  stack: AsyncDisposableStack,
): Promise<AppProcess> {
  const server = stack.use(await startApp("server", env));
  balancer.add(server.started["url"]!);
  return server;
}

/** Sockets of one customer, each with a stream. */
function followAll(
  { customer, instanceId }: { readonly customer: Customer; readonly instanceId: string },
  balancer: Balancer,
  stack: AsyncDisposableStack,
  failures: Failures,
): Following[] {
  return Array.from({ length: socketsPerCustomer }, (_, index): Following => {
    const { api } = stack.use(createClient(balancer.url, customer.token));
    const kind = index % 2 === 0 ? "events" : "status";
    const seen: number[] = [];
    const handlers = {
      onData: ({ id }: { readonly id: string }) => void seen.push(Number(id)),
      onError: (error: unknown) => void failures.push(`stream of ${kind}: ${String(error)}`),
      onComplete: () => void failures.push(`stream of ${kind} ended`),
    };
    const stream =
      kind === "events"
        ? api.instances.onEvent.subscribe({ lastEventId: "0" }, handlers)
        : api.instances.onStatus.subscribe({ instanceId }, handlers);
    stack.defer(() => stream.unsubscribe());
    return { kind, instanceId, seen };
  });
}

interface Load {
  /** Waits for what is under way. */
  end(): Promise<{ readonly calls: number; readonly changes: number }>;
}

/** Reads at a fixed pace, and beside it one app after the other is stopped or started. */
function startLoad(apps: readonly { customer: Customer; instanceId: string }[], failures: Failures): Load {
  const running: Promise<void>[] = [];
  let calls = 0;
  let changes = 0;
  let isEnding = false;
  const call = (what: Promise<unknown>): void => {
    calls += 1;
    running.push(
      what.then(
        () => undefined,
        (error: unknown) => void failures.push(`call: ${describe(error)}`),
      ),
    );
  };
  const timer = setInterval(() => {
    const { customer, instanceId } = apps[calls % apps.length]!;
    if (calls % 3 === 0) call(customer.api.instances.get.query({ instanceId }));
    else if (calls % 3 === 1) call(customer.api.instances.list.query({}));
    else call(customer.api.auth.me.query());
  }, 1_000 / callsPerSecond);
  const change = async (): Promise<void> => {
    while (!isEnding) {
      const { customer, instanceId } = apps[changes % apps.length]!;
      await toggle(customer, instanceId).catch((error: unknown) => void failures.push(`change: ${describe(error)}`));
      changes += 1;
    }
  };
  const changing = change();
  return {
    async end() {
      isEnding = true;
      await changing;
      clearInterval(timer);
      await Promise.all(running);
      return { calls, changes };
    },
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} < ${describe(error.cause)}`;
}

async function toggle({ api }: Client, instanceId: string): Promise<void> {
  const idempotencyKey = `toggle-${crypto.randomUUID()}`;
  const { desiredPhase } = await api.instances.get.query({ instanceId });
  const wanted = desiredPhase === "running" ? "stopped" : "running";
  await api.instances[wanted === "stopped" ? "stop" : "start"].mutate({ instanceId, idempotencyKey });
  await until(`the app is ${wanted}`, async () => {
    const { observedPhase, operation } = await api.instances.get.query({ instanceId });
    return observedPhase === wanted && operation?.status === "succeeded" ? true : null;
  });
}

/** Events are numbered without gaps from the first; of an app's status the last one counts, and none comes twice or late. */
async function expectUpToDate(customer: Customer, instanceId: string, following: readonly Following[]): Promise<void> {
  const { items } = await customer.api.events.list.query({ limit: 1 });
  const head = items[0]!.sequence;
  const { revision } = await customer.api.instances.get.query({ instanceId });
  const mine = following.filter((one) => one.instanceId === instanceId);
  expect(mine).toHaveLength(socketsPerCustomer);
  for (const { kind, seen } of mine) {
    const last = kind === "events" ? head : revision;
    await until(`a stream of ${kind} has come to ${last}`, () => (seen.at(-1)! >= last ? true : null));
    const rising = [...new Set(seen)].toSorted((a, b) => a - b);
    expect(seen).toEqual(kind === "events" ? seen.map((_, index) => index + 1) : rising);
  }
}

async function lockedBy(house: House, pool: string): Promise<readonly unknown[]> {
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  return await database.drizzle.execute(
    `select id, key, locked_by from graphile_worker._private_jobs where locked_by like '${pool}'`,
  );
}
