import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  applyCatalog,
  type CoreConfig,
  type CoreContext,
  createContext,
  getInstance,
  type InstanceView,
  inviteOperator,
  listInstances,
  listOfferings,
  parseKeyring,
  placeOrder,
  quoteOrder,
  recordNodes,
  systemClock,
  uuidV7Ids,
} from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { type Devcluster, startDevcluster } from "@sewa/devcluster";
import { createLog } from "./log.ts";
import type { WorkerOptions } from "./start-worker.ts";

const catalogFolder = new URL("../../packages/blueprint/catalog/", import.meta.url);
const keyring = `test:${Buffer.alloc(32, 7).toString("base64")}`;
const config: CoreConfig = {
  appsDomain: "apps.test",
  appsScheme: "http",
  appsPort: null,
  portalUrl: "http://portal.test",
  currency: "IDR",
  timeZone: "Asia/Jakarta",
  orderTtlHours: 24,
  renewalLeadDays: 7,
  reminderHour: 9,
  memoryReservePercent: 35,
  cpuReservePercent: 15,
  maxInstancesPerOrganization: 5,
  disposableAddresses: { also: [], except: [] },
  operatorPasswordMaxAgeHours: null,
  testClocks: false,
  orphanVolumeGraceDays: 30,
  auditRetentionMonths: null,
  ledgerRetentionMonths: null,
  invoiceSeries: "INV",
  seller: null,
  roomPrice: null,
};
const gib = 1024 ** 3;

/** A database with the shipped catalog and a customer, and a cluster with machines, all real; the workers are the test's. */
export interface TestHouse extends AsyncDisposable {
  /** Bound to the customer's organization; may do everything. */
  readonly core: CoreContext;
  readonly cluster: Devcluster;
  /** For a worker in this process. */
  readonly options: WorkerOptions;
  /** For a worker in a process of its own. */
  readonly env: Readonly<Record<string, string>>;
  readonly sql: (query: string) => Promise<readonly Record<string, unknown>[]>;
  /** Orders the free plan; the job that provisions it waits from then on. */
  order(): Promise<string>;
  /** Waits until the app of the order runs. */
  running(instanceId: string, boundMs?: number): Promise<InstanceView>;
  /** What makes graphile-worker end all runners by itself; said again until `hasEnded`, since a runner may not listen yet. */
  breakQueue(hasEnded: () => boolean): Promise<void>;
  /** Jobs that somebody holds, and the tasks they are of. */
  lockedJobs(): Promise<readonly unknown[]>;
}

export interface TestHouseOptions {
  /** As devcluster's. 0 is as fast as it goes. */
  readonly pace?: number;
  readonly smtpUrl?: string;
  /** Each message to the cluster takes so much longer. */
  readonly latencyMs?: number;
}

export async function startTestHouse(options: TestHouseOptions = {}): Promise<TestHouse> {
  const { pace = 0, smtpUrl = "smtp://127.0.0.1:9", latencyMs = 0 } = options;
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await createTestDatabase());
  const cluster = opening.use(await startDevcluster({ pace }));
  const db = opening.use(connectDatabase({ url: database.url, role: "sewa_worker", max: 4 }));
  const folder = await mkdtemp(join(tmpdir(), "sewa-worker-test-"));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "kubeconfig");
  const target = new URL(cluster.url);
  const slow = opening.use(await startProxy(target.hostname, Number(target.port), latencyMs));
  const kubeconfigText = cluster.kubeconfig.replaceAll(cluster.url, `http://127.0.0.1:${slow.port}`);
  await writeFile(kubeconfig, kubeconfigText);
  const core = await furnish(
    createContext(
      {
        db,
        clock: systemClock,
        ids: uuidV7Ids(systemClock),
        keyring: parseKeyring(keyring),
        config,
        observer: { event: () => undefined },
      },
      { actor: { type: "system", name: "worker" } },
    ),
  );
  const sql = async (query: string): Promise<readonly Record<string, unknown>[]> => db.drizzle.execute(query);
  const ingressAddress = new URL(cluster.ingressUrl).host;
  const resources = opening.move();
  return {
    core,
    cluster,
    sql,
    options: {
      databaseUrl: database.url,
      databasePoolMax: 4,
      smtpUrl,
      mailFrom: "Sewa <no-reply@sewa.test>",
      cluster: {
        kubeconfig: kubeconfigText,
        ingressAddress,
        settings: {
          ingressClassName: "traefik",
          ingressNamespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
          storageClassName: null,
          ingressTls: null,
        },
      },
      config,
      keyring: parseKeyring(keyring),
      jobConcurrency: 3,
      resyncSeconds: 240,
      internal: { host: "127.0.0.1", port: 0 },
      log: createLog({ level: "silent" }),
    },
    env: {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: database.url,
      SMTP_URL: smtpUrl,
      MAIL_FROM: "Sewa <no-reply@sewa.test>",
      KUBECONFIG: kubeconfig,
      INGRESS_ADDRESS: ingressAddress,
      APPS_DOMAIN: config.appsDomain,
      APPS_SCHEME: "http",
      PORTAL_URL: config.portalUrl,
      SECRETS_KEYRING: keyring,
      WORKER_INTERNAL_PORT: "0",
      LOG_LEVEL: "debug",
    },
    order: () => order(core),
    running: (id, boundMs) => untilRunning(core, id, boundMs),
    async breakQueue(hasEnded) {
      await until("the runner has ended", async () => {
        await sql(`select pg_notify('worker:migrate', '{"migrationNumber": 99, "breaking": true}')`);
        return hasEnded();
      });
    },
    lockedJobs: () => sql("select task_identifier, locked_by from graphile_worker.jobs where locked_at is not null"),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function furnish(ctx: CoreContext): Promise<CoreContext> {
  const read = (name: string): Promise<string> => readFile(new URL(name, catalogFolder), "utf8");
  const names = (await readdir(catalogFolder)).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
  await applyCatalog(ctx, {
    catalog: await read("catalog.yaml"),
    blueprints: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)]))),
  });
  // As they were listed last; the worker lists them anew.
  await recordNodes(
    ctx,
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
  const { userId } = await inviteOperator(ctx, { email: "budi@customer.test", name: "Budi" });
  const [row] = await ctx.db.drizzle.execute<{ id: string }>(
    `select organization_id as id from members where user_id = '${userId}'`,
  );
  if (row === undefined) throw new Error("The customer has no organization.");
  return ctx.forOrganization(row.id);
}

async function order(core: CoreContext): Promise<string> {
  const { items } = await listOfferings(core, {});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "free");
  if (plan === undefined) throw new Error("The catalog has no free plan.");
  const { priceKey } = await quoteOrder(core, { planId: plan.id, parameters: {} });
  const known = new Set((await listInstances(core, {})).items.map(({ instance }) => instance.id));
  await placeOrder(core, {
    planId: plan.id,
    parameters: {},
    name: "Status page",
    priceKey,
    idempotencyKey: core.ids.next(),
  });
  const found = (await listInstances(core, {})).items.find(({ instance: { id } }) => !known.has(id));
  if (found === undefined) throw new Error("The order made no instance.");
  return found.instance.id;
}

async function untilRunning(core: CoreContext, instanceId: string, boundMs?: number): Promise<InstanceView> {
  const isRunning = async (): Promise<InstanceView | null> => {
    const view = await getInstance(core, instanceId);
    return view.instance.observedPhase === "running" ? view : null;
  };
  return until("the app runs", isRunning, boundMs);
}

/** A way to somewhere on which what is sent arrives later, and which can be cut. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Resets every connection; new ones are let through. */
  cut(): void;
}

/** Listens on a free port unless told on which. */
export async function startProxy(host: string, port: number, latencyMs = 0, ownPort = 0): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, host);
    client.on("data", (chunk) => setTimeout(() => upstream.writable && upstream.write(chunk), latencyMs));
    upstream.on("data", (chunk) => client.writable && client.write(chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(ownPort, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

/** Polls until `condition` holds a value and answers it; throws after `boundMs`. */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  boundMs = 20_000,
): Promise<T> {
  const end = performance.now() + boundMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await pause(20);
  }
}

/** Ends a test process and tells how it ended. */
export async function stopProcess(
  process: TestProcess,
  signal: NodeJS.Signals,
): Promise<number | NodeJS.Signals | null> {
  process.child.kill(signal);
  return process.exited;
}

/** A process with what it wrote so far. Killed when it is disposed of. */
export interface TestProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  output(): string;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

/** Runs a file of this package, or the command behind it, with exactly this environment. */
export function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = fileURLToPath(new URL(".", import.meta.url)),
): TestProcess {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal)),
  );
  return {
    child,
    output: () => output,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
