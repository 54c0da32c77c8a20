import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigurationError } from "@sewa/core";
import { childEnv, type DevEnv, readEnv } from "./env.ts";
import { type Parts, startParts } from "./parts.ts";
import { applyShippedCatalog, seedAccounts, seededCustomer, seededOperator, seededPassword, withCore } from "./seed.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Longer than a worker's own bound for jobs that run. */
const stopMs = 30_000;

const env = readEnvOrExplain();
const parts = await startParts({
  keepIn: join(root, ".sewa"),
  databaseUrl: env.DATABASE_URL,
  cluster: chosenCluster(),
  ingressAddress: env.INGRESS_ADDRESS,
  appsDomain: env.APPS_DOMAIN,
  smtpUrl: env.SMTP_URL,
  apiPort: env.PORT,
  mailPort: env.DEV_MAIL_PORT,
  appsPort: env.DEV_APPS_PORT,
  pace: env.DEV_PACE,
}).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});

await withCore(parts, async (ctx) => {
  await applyShippedCatalog(ctx);
  await seedAccounts(ctx);
});
const children = ["server", "worker"].map((name) => startWatched(name, parts));
describe(parts);

const stopped = new Promise<string>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("Stopped."));
  void parts.databaseEnded.then(() => resolve("PostgreSQL has ended, so the house stops too."));
});
process.stdout.write(`\n${await stopped}\n`);
await Promise.all(children.map(stopChild));
await parts[Symbol.asyncDispose]();

function readEnvOrExplain(): DevEnv {
  try {
    return readEnv();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`The house cannot start with this environment:\n${error.message}\n`);
    process.exit(78);
  }
}

function chosenCluster(): Parameters<typeof startParts>[0]["cluster"] {
  if (env.KUBECONFIG !== undefined) return { kubeconfig: env.KUBECONFIG };
  return env.KUBERNETES_SERVICE_HOST === undefined ? undefined : "in-cluster";
}

/** Node restarts it when one of the files that it read has changed. */
function startWatched(name: string, { env: variables }: Parts): ChildProcess {
  return spawn(process.execPath, ["--watch", "--watch-preserve-output", join(root, "apps", name, "main.ts")], {
    cwd: root,
    env: childEnv(variables),
    stdio: ["ignore", "inherit", "inherit"],
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await ended;
  clearTimeout(timer);
}

function describe({ described, mailHouse }: Parts): void {
  const lines = [
    ...described,
    `API: http://127.0.0.1:${env.PORT}/trpc (HTTP and WebSocket)`,
    ...(mailHouse === null ? [] : [`Mails: ${mailHouse.pageUrl}`]),
    `Customer: ${seededCustomer}, password ${seededPassword}`,
    `Operator: ${seededOperator}, password ${seededPassword}`,
    "Files are watched; server and worker restart on change. Ctrl-C stops everything.",
  ];
  process.stdout.write(`\n${lines.map((line) => `  ${line}`).join("\n")}\n\n`);
}
