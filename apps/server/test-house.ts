import { readdir, readFile } from "node:fs/promises";
import type { AppRouter } from "@sewa/api";
import { transformer } from "@sewa/api";
import {
  applyCatalog,
  type CoreContext,
  createContext,
  inviteOperator,
  mintMailLink,
  recordNodes,
  systemClock,
  toCoreConfig,
  uuidV7Ids,
} from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  type TRPCClient,
  type TRPCWebSocketClient,
  wsLink,
} from "@trpc/client";
import { WebSocket } from "ws";
import { readEnv } from "./env.ts";
import { createServerLog } from "./log.ts";
import { type ServerOptions, toServerOptions } from "./options.ts";
import { type Server, startServer } from "./start-server.ts";

const catalogFolder = new URL("../../packages/blueprint/catalog/", import.meta.url);
const gib = 1_024 ** 3;
export const portal = "http://portal.test";

/** A database with the shipped catalog and two machines, and a server on it, all real. */
export interface TestHouse extends AsyncDisposable {
  /** The worker's: may do everything. */
  readonly core: CoreContext;
  readonly server: Server;
  readonly url: string;
  /** Registers, verifies and logs in; the mail's link is minted here instead of read from a mail box. */
  customer(name?: string): Promise<Customer>;
  operator(): Promise<Customer>;
  /** Another server on the same database. */
  another(options?: Partial<ServerOptions>): Promise<Server>;
  sql(query: string): Promise<readonly Record<string, unknown>[]>;
}

export interface Customer {
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly api: TRPCClient<AppRouter>;
}

export async function startTestHouse(
  options: Partial<ServerOptions> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<TestHouse> {
  await using opening = new AsyncDisposableStack();
  const database =
    options.databaseUrl === undefined ? opening.use(await createTestDatabase()) : { url: options.databaseUrl };
  const env = readEnv({
    DATABASE_URL: database.url,
    DATABASE_POOL_MAX: "6",
    PORT: "0",
    INTERNAL_PORT: "0",
    PORTAL_URL: portal,
    SECRETS_KEYRING: `test:${Buffer.alloc(32, 7).toString("base64")}`,
    APPS_DOMAIN: "apps.test",
    APPS_SCHEME: "http",
    TEST_CLOCKS: "true",
    STOP_DELAY_SECONDS: "0",
    ...environment,
  });
  const serverOptions = {
    ...toServerOptions(env, createServerLog({ level: process.env["SEWA_TEST_LOG"] ?? "silent" })),
    ...options,
  };
  const db = opening.use(connectDatabase({ url: database.url, role: "sewa_worker", max: 3 }));
  const core = createContext(
    {
      db,
      clock: systemClock,
      ids: uuidV7Ids(systemClock),
      keyring: env.SECRETS_KEYRING,
      config: toCoreConfig(env),
      observer: { event: () => undefined },
    },
    { actor: { type: "system", name: "worker" } },
  );
  await furnish(core);
  const server = opening.use(await startServer(serverOptions));
  const resources = opening.move();
  let count = 0;
  const sql = async (query: string): Promise<readonly Record<string, unknown>[]> => db.drizzle.execute(query);
  const logIn = async (email: string, password: string): Promise<Customer> => {
    const { token } = await createClient(server.url, null).auth.logIn.mutate({ email, password });
    return { email, password, token, api: createClient(server.url, token) };
  };
  return {
    core,
    server,
    url: server.url,
    sql,
    async customer(name = "Ana") {
      count += 1;
      const email = `ana${count}@customer.test`;
      const password = "correct horse battery";
      const api = createClient(server.url, null);
      await api.auth.register.mutate({ email, password, name, locale: "en" });
      const [user] = await sql(`select id from users where email = '${email}'`);
      const link = await mintMailLink(core, { kind: "verify_email", userId: String(user?.["id"]) });
      await api.auth.verifyEmail.mutate({ token: tokenIn(link) });
      return logIn(email, password);
    },
    async operator() {
      const password = "operate the house";
      const { url } = await inviteOperator(core, { email: "op@house.test", name: "Op" });
      await createClient(server.url, null).auth.acceptOperatorInvite.mutate({ token: tokenIn(url), password });
      return logIn("op@house.test", password);
    },
    another: async (other = {}) => resources.use(await startServer({ ...serverOptions, ...other })),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function furnish(core: CoreContext): Promise<void> {
  const read = (file: string): Promise<string> => readFile(new URL(file, catalogFolder), "utf8");
  const names = (await readdir(catalogFolder)).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  await applyCatalog(core, {
    catalog: await read("catalog.yaml"),
    blueprints: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)]))),
  });
  await recordNodes(
    core,
    ["pc-2", "pc-3"].map((name) => ({
      name,
      role: "worker" as const,
      pool: "default",
      ready: true,
      schedulable: true,
      allocatableCpuMillis: 8_000,
      allocatableMemoryBytes: 32 * gib,
      conditions: [],
    })),
  );
}

export function tokenIn(link: string): string {
  const token = new URL(link).searchParams.get("token");
  if (token === null) throw new Error("There is no token in the link.");
  return token;
}

/** `organizationId`: for whom it speaks; for the home of who has the token where it is left out. */
export function createClient(url: string, token: string | null, organizationId?: string): TRPCClient<AppRouter> {
  const headers = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(organizationId !== undefined && { "sewa-organization": organizationId }),
  };
  return createTRPCClient<AppRouter>({
    links: [httpBatchLink({ url: `${url}/trpc`, transformer, headers, maxItems: 10 })],
  });
}

export interface SocketClient extends AsyncDisposable {
  readonly api: TRPCClient<AppRouter>;
  readonly socket: TRPCWebSocketClient;
}

/** The client of the contract over a WebSocket. */
export function createSocketClient(url: string, parameters: Record<string, string> | null): SocketClient {
  const socket = createWSClient({
    url: `${url.replace("http", "ws")}/trpc`,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    retryDelayMs: () => 50,
    ...(parameters === null ? {} : { connectionParams: () => parameters }),
  });
  const api = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket, transformer })] });
  return { api, socket, [Symbol.asyncDispose]: () => socket.close() };
}

/** Orders the free plan as a portal does: quote first, then place. */
export async function orderFree(
  api: TRPCClient<AppRouter>,
  key: string,
  name = "Status page",
): Promise<{ readonly instanceId: string; readonly subscriptionId: string }> {
  const { plans } = await api.offerings.get.query({ slug: "uptime-kuma" });
  const plan = plans.find(({ slug }) => slug === "free");
  if (plan === undefined) throw new Error("The catalog has no free plan.");
  const { priceKey } = await api.orders.quote.query({ planId: plan.id, parameters: {} });
  const { subscription } = await api.orders.place.mutate({
    planId: plan.id,
    parameters: {},
    name,
    priceKey,
    idempotencyKey: key,
  });
  return { instanceId: subscription.instanceId, subscriptionId: subscription.id };
}

/** Polls until `condition` holds a value and answers it; throws after `boundMs`. */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  boundMs = 15_000,
): Promise<T> {
  const end = performance.now() + boundMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
