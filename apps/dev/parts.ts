import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "@sewa/db";
import { startEmbeddedPostgres } from "@sewa/db/embedded";
import { startDevcluster, type Devcluster } from "@sewa/devcluster";
import { type Devgateway, startDevgateway } from "@sewa/devgateway";
import { type MailHouse, startMailHouse } from "./mail-house.ts";

export interface PartsOptions {
  /** Where data is kept over restarts; null keeps nothing. */
  readonly keepIn: string | null;
  readonly databaseUrl?: string | undefined;
  /** Path of a kubeconfig, or `in-cluster`. */
  readonly cluster?: { readonly kubeconfig: string } | "in-cluster" | undefined;
  readonly ingressAddress?: string | undefined;
  readonly appsDomain?: string | undefined;
  readonly smtpUrl?: string | undefined;
  readonly apiPort: number;
  readonly mailPort: number;
  readonly appsPort: number;
  readonly pace: number;
  /** The gateway's time, where checkouts close without anybody waiting for it; the machine's when left out. */
  readonly gatewayClock?: (() => Date) | undefined;
}

/** Everything that server and worker stand on. */
export interface Parts extends AsyncDisposable {
  readonly databaseUrl: string;
  /** Null when a real one is used. */
  readonly devcluster: Devcluster | null;
  readonly mailHouse: MailHouse | null;
  /** Its webhooks go to the server at `apiPort`; with port 0 to nobody before `webhooks.deliverTo`. */
  readonly gateway: Devgateway;
  /** One line for each part: what is used. */
  readonly described: readonly string[];
  /** Variables for server and worker. */
  readonly env: Readonly<Record<string, string>>;
  /** Settles when PostgreSQL ended by itself; never for a real one. */
  readonly databaseEnded: Promise<unknown>;
}

export async function startParts(options: PartsOptions): Promise<Parts> {
  const stack = new AsyncDisposableStack();
  try {
    if (options.keepIn !== null) await mkdir(options.keepIn, { recursive: true });
    const [database, devcluster, mailHouse, gateway] = await Promise.all([
      openDatabase(options, stack),
      openCluster(options, stack),
      openMail(options, stack),
      openGateway(options, stack),
    ]);
    await migrate({ url: database.url });
    const kubeconfig = await kubeconfigFile(options, devcluster, stack);
    const env = {
      DATABASE_URL: database.url,
      SMTP_URL: options.smtpUrl ?? mailHouse?.smtpUrl ?? "",
      MAIL_FROM: "Sewa <no-reply@sewa.localhost>",
      PORTAL_URL: "http://127.0.0.1:5173",
      SECRETS_KEYRING: await readKeyring(options.keepIn),
      TEST_CLOCKS: "true",
      // Nobody balances traffic on a laptop.
      STOP_DELAY_SECONDS: "0",
      LOG_LEVEL: "warn",
      PORT: String(options.apiPort),
      INTERNAL_PORT: String(options.apiPort === 0 ? 0 : options.apiPort + 1),
      WORKER_INTERNAL_PORT: "0",
      SANDBOX_GATEWAY_URL: gateway.url,
      SANDBOX_GATEWAY_KEY: gateway.secretKey,
      SANDBOX_WEBHOOK_SECRETS: gateway.webhookSecrets.join(","),
      ...clusterEnv(options, devcluster, kubeconfig),
    };
    const kept = stack.move();
    return {
      databaseUrl: database.url,
      devcluster,
      mailHouse,
      gateway,
      described: [
        database.described,
        describeCluster(options, devcluster),
        describeMail(options, mailHouse),
        `Payments: in process, ${gateway.url}, no money moves`,
      ],
      env,
      databaseEnded: database.ended,
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function openDatabase(
  options: PartsOptions,
  stack: AsyncDisposableStack,
): Promise<{ readonly url: string; readonly described: string; readonly ended: Promise<unknown> }> {
  if (options.databaseUrl !== undefined) {
    return {
      url: options.databaseUrl,
      described: "PostgreSQL: yours (DATABASE_URL)",
      ended: new Promise(() => undefined),
    };
  }
  const dataDir = options.keepIn === null ? undefined : join(options.keepIn, "postgres");
  const postgres = stack.use(
    await startEmbeddedPostgres({ ...(dataDir === undefined ? {} : { dataDir }), durable: dataDir !== undefined }),
  );
  const kept = dataDir === undefined ? "nothing is kept" : `data in ${postgres.dataDir}`;
  return { url: postgres.url, described: `PostgreSQL: embedded, ${kept}`, ended: postgres.ended };
}

async function openCluster(options: PartsOptions, stack: AsyncDisposableStack): Promise<Devcluster | null> {
  if (options.cluster !== undefined) return null;
  const stateFile = options.keepIn === null ? {} : { stateFile: join(options.keepIn, "devcluster.json") };
  return stack.use(await startDevcluster({ pace: options.pace, ingressPort: options.appsPort, ...stateFile }));
}

async function openMail(options: PartsOptions, stack: AsyncDisposableStack): Promise<MailHouse | null> {
  if (options.smtpUrl !== undefined) return null;
  return stack.use(await startMailHouse({ pagePort: options.mailPort }));
}

/** Where the server of this house takes the gateway's webhooks. */
export function webhookUrl(apiUrl: string): string {
  return `${apiUrl}/webhooks/payments/sandbox`;
}

async function openGateway(options: PartsOptions, stack: AsyncDisposableStack): Promise<Devgateway> {
  const { keepIn, apiPort, pace, gatewayClock } = options;
  return stack.use(
    await startDevgateway({
      pace,
      ...(apiPort === 0 ? {} : { webhookUrl: webhookUrl(`http://127.0.0.1:${apiPort}`) }),
      ...(keepIn === null ? {} : { stateFile: join(keepIn, "devgateway.json") }),
      ...(gatewayClock === undefined ? {} : { clock: gatewayClock }),
    }),
  );
}

/** The worker reads its cluster from a file, as it does in production. */
async function kubeconfigFile(
  options: PartsOptions,
  devcluster: Devcluster | null,
  stack: AsyncDisposableStack,
): Promise<string | null> {
  if (devcluster === null) return typeof options.cluster === "object" ? options.cluster.kubeconfig : null;
  const folder = await mkdtemp(join(tmpdir(), "sewa-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "kubeconfig");
  await writeFile(path, devcluster.kubeconfig, { mode: 0o600 });
  return path;
}

function clusterEnv(
  options: PartsOptions,
  devcluster: Devcluster | null,
  kubeconfig: string | null,
): Readonly<Record<string, string>> {
  const file: Record<string, string> = kubeconfig === null ? {} : { KUBECONFIG: kubeconfig };
  if (devcluster === null) {
    return {
      ...file,
      ...(options.ingressAddress === undefined ? {} : { INGRESS_ADDRESS: options.ingressAddress }),
      ...(options.appsDomain === undefined ? {} : { APPS_DOMAIN: options.appsDomain }),
    };
  }
  const { host, port } = new URL(devcluster.ingressUrl);
  return { ...file, INGRESS_ADDRESS: host, APPS_DOMAIN: "apps.localhost", APPS_SCHEME: "http", APPS_PORT: port };
}

function describeCluster(options: PartsOptions, devcluster: Devcluster | null): string {
  if (devcluster !== null) return `Kubernetes: in process, ${devcluster.url}, apps answer at ${devcluster.ingressUrl}`;
  return options.cluster === "in-cluster" ? "Kubernetes: the one this runs in" : "Kubernetes: yours (KUBECONFIG)";
}

function describeMail(options: PartsOptions, mailHouse: MailHouse | null): string {
  return mailHouse === null ? "Mail: yours (SMTP_URL)" : `Mail: captured, see ${mailHouse.pageUrl}`;
}

/** Kept beside the data, because it opens the secrets in it. */
async function readKeyring(keepIn: string | null): Promise<string> {
  const fresh = `dev:${randomBytes(32).toString("base64")}`;
  if (keepIn === null) return fresh;
  const path = join(keepIn, "keyring");
  if (existsSync(path)) return (await readFile(path, "utf8")).trim();
  await writeFile(path, `${fresh}\n`, { mode: 0o600 });
  return fresh;
}
