import type { RouterOutputs } from "@sewa/api";
import { checkBooks } from "@sewa/core";
import { createTestDatabase } from "@sewa/db/testing";
import { createServerLog, readEnv as readServerEnv, type Server, startServer, toServerOptions } from "@sewa/server";
import { createLog, readEnv as readWorkerEnv, startWorker, toWorkerOptions, type Worker } from "@sewa/worker";
import {
  applyShippedCatalog,
  type Client,
  createClient,
  type Inventory,
  type Parts,
  startParts,
  takeInventory,
  webhookUrl,
  withCore,
} from "@sewa/dev";
import { expect } from "vitest";

type Instance = RouterOutputs["instances"]["get"];

export interface Customer extends Client {
  readonly email: string;
  readonly password: string;
  /** Of the session that `api` uses. */
  readonly token: string;
}

export interface House extends AsyncDisposable {
  readonly parts: Parts;
  readonly servers: readonly Server[];
  readonly workers: readonly Worker[];
  addWorker(): Promise<Worker>;
  /** A verified customer with a client that talks to one of the servers. */
  customer(server?: { readonly url: string }): Promise<Customer>;
  inventory(): Promise<Inventory>;
}

export interface HouseSize {
  readonly servers?: number;
  readonly workers?: number;
  /** A database that is there already; otherwise the house gets one of its own. */
  readonly databaseUrl?: string;
  /** Gets each line that server or worker log, from info on; otherwise they are silent. */
  readonly onLogLine?: (line: string) => void;
  /** The gateway's time; otherwise the machine's. */
  readonly gatewayClock?: () => Date;
}

/** The whole house and an in-process cluster that is as fast as it can be. */
export async function startHouse(size: HouseSize = {}): Promise<House> {
  const stack = new AsyncDisposableStack();
  try {
    const database = size.databaseUrl === undefined ? stack.use(await createTestDatabase()) : { url: size.databaseUrl };
    const parts = stack.use(
      await startParts({
        keepIn: null,
        databaseUrl: database.url,
        apiPort: 0,
        mailPort: 0,
        appsPort: 0,
        pace: 0,
        gatewayClock: size.gatewayClock,
      }),
    );
    const { onLogLine } = size;
    const destination = onLogLine === undefined ? undefined : { write: onLogLine };
    const env = {
      ...parts.env,
      LOG_LEVEL: onLogLine === undefined ? "fatal" : "info",
      MAX_INSTANCES_PER_ORGANIZATION: "50",
    };
    await withCore(parts, applyShippedCatalog);
    const servers: Server[] = [];
    const workers: Worker[] = [];
    const addWorker = async (): Promise<Worker> => {
      const variables = readWorkerEnv(env);
      const worker = stack.use(
        await startWorker(toWorkerOptions(variables, createLog({ level: variables.LOG_LEVEL }, destination))),
      );
      workers.push(worker);
      return worker;
    };
    for (let count = 0; count < (size.servers ?? 1); count += 1) {
      const variables = readServerEnv(env);
      servers.push(
        stack.use(
          await startServer(toServerOptions(variables, createServerLog({ level: variables.LOG_LEVEL }, destination))),
        ),
      );
    }
    if (servers[0] !== undefined) parts.gateway.webhooks.deliverTo(webhookUrl(servers[0].url));
    for (let count = 0; count < (size.workers ?? 1); count += 1) await addWorker();
    const kept = stack.move();
    return {
      parts,
      servers,
      workers,
      addWorker,
      customer: (server = servers[0]!) => registerCustomer(parts, server.url),
      inventory: () => takeInventory(parts.databaseUrl, parts.devcluster),
      async [Symbol.asyncDispose]() {
        try {
          expect((await withCore(parts, checkBooks)).filter(({ check }) => check.kind === "books")).toEqual([]);
        } finally {
          await kept.disposeAsync();
        }
      },
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

let customers = 0;

async function registerCustomer(parts: Parts, apiUrl: string): Promise<Customer> {
  customers += 1;
  const email = `customer-${process.pid}-${customers}@example.com`;
  const password = "correct horse battery";
  // All customers of a test come from one address, which a stranger's limit would soon stop.
  await withCore(parts, (ctx) => ctx.db.drizzle.execute("delete from attempt_counters"));
  await using visitor = createClient(apiUrl, null);
  await visitor.api.auth.register.mutate({ email, password, name: "Budi", locale: "en" });
  const mail = await parts.mailHouse!.waitFor(({ to, text }) => to.includes(email) && text.includes("token="));
  await visitor.api.auth.verifyEmail.mutate({ token: /token=([\w.~-]+)/.exec(mail.text)![1]! });
  const { token } = await visitor.api.auth.logIn.mutate({ email, password });
  return { ...createClient(apiUrl, token), email, password, token };
}

/** Orders the free plan once there is room, which is when a worker has counted the machines. */
export async function order({ api }: Client, name = "Status page"): Promise<RouterOutputs["orders"]["place"]> {
  const { items } = await api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find(({ price }) => price?.amountMinor === 0n)!;
  const quote = await until("there is room", async () => {
    const asked = await api.orders.quote.query({ planId: plan.id, parameters: {} });
    return asked.capacity.fits ? asked : null;
  });
  const idempotencyKey = `order-${crypto.randomUUID()}`;
  const { priceKey } = quote;
  return whenServed(() => api.orders.place.mutate({ planId: plan.id, parameters: {}, name, priceKey, idempotencyKey }));
}

interface Refusal {
  readonly data?: { readonly appCode?: string; readonly retryAfterSeconds?: number | null };
}

/** Calls again, as a client should, while the house says when to come back. The key stays the same. */
export function whenServed<T>(call: () => Promise<T>): Promise<T> {
  return until("the house serves", () =>
    call().catch((error: Refusal) => {
      if (error.data?.retryAfterSeconds != null && error.data.appCode !== "RATE_LIMITED") return null;
      throw error;
    }),
  );
}

/** Waits on the live stream, as a portal does. */
export function reached({ api }: Client, instanceId: string, done: (instance: Instance) => boolean): Promise<Instance> {
  const { promise, resolve, reject } = Promise.withResolvers<Instance>();
  const timer = setTimeout(() => reject(new Error("The instance did not get there.")), 60_000);
  const stream = api.instances.onStatus.subscribe(
    { instanceId },
    { onData: ({ data }) => done(data) && resolve(data), onError: reject },
  );
  return promise.finally(() => {
    clearTimeout(timer);
    stream.unsubscribe();
  });
}

export const isUp = ({ observedPhase, isOpen }: Instance): boolean => observedPhase === "running" && isOpen;

export async function until<T>(what: string, look: () => Promise<T | null> | T | null, timeoutMs = 60_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`It took too long until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
