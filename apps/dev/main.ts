import { type ChildProcess, spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigurationError } from "@sewa/core";
import { childEnv, type DevEnv, readEnv } from "./env.ts";
import { type Parts, startParts } from "./parts.ts";
import { applyShippedCatalog, seedAccounts, seededCustomer, seededOperator, seededPassword, withCore } from "./seed.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** The variables of server and worker, for the commands of operators; there while the house stands. */
const envFile = join(root, ".sewa", "env");
/** Longer than a worker's own bound for jobs that run. */
const stopMs = 30_000;

/**
 * Holds the read end of a pipe whose write end is ours: when we close it, or die by any signal at all, the child is told
 * to stop. Signals of the terminal reach us as well, so the shell leaves them to us.
 */
const watchdog = `
trap '' INT HUP
exec 3<&0 </dev/null
"$@" 3<&- & child=$!
( read -r _ <&3; kill -TERM $child ) & watcher=$!
exec 3<&-
wait $child; code=$?
kill $watcher 2>/dev/null
exit $code
`;

const env = readEnvOrExplain();
await refuseTakenPorts({
  PORT: env.PORT,
  ...(env.SMTP_URL === undefined ? { DEV_MAIL_PORT: env.DEV_MAIL_PORT } : {}),
  ...(chosenCluster() === undefined ? { DEV_APPS_PORT: env.DEV_APPS_PORT } : {}),
});
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
await writeFile(
  envFile,
  Object.entries(parts.env)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join(""),
  { mode: 0o600 },
);
const children = ["server", "worker"].map((name) => startWatched(name, parts));
describe(parts);

const stopped = new Promise<string>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve("Stopped."));
  void parts.databaseEnded.then(() => resolve("PostgreSQL has ended, so the house stops too."));
});
process.stdout.write(`\n${await stopped}\n`);
await Promise.all(children.map(stopChild));
await rm(envFile, { force: true });
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

/** A stale server would answer in our place, so nothing is started beside one. */
async function refuseTakenPorts(ports: Readonly<Record<string, number>>): Promise<void> {
  const probed = await Promise.all(
    Object.entries(ports).map(async ([name, port]) =>
      (await isFree(port)) ? [] : [`Port ${port} is in use; stop what uses it, or set ${name}.`],
    ),
  );
  const problems = probed.flat();
  if (problems.length === 0) return;
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exit(1);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

function chosenCluster(): Parameters<typeof startParts>[0]["cluster"] {
  if (env.KUBECONFIG !== undefined) return { kubeconfig: env.KUBECONFIG };
  return env.KUBERNETES_SERVICE_HOST === undefined ? undefined : "in-cluster";
}

/** Node restarts it when one of the files that it read has changed. */
function startWatched(name: string, { env: variables }: Parts): ChildProcess {
  const command = [process.execPath, "--watch", "--watch-preserve-output", join(root, "apps", name, "main.ts")];
  return spawn("/bin/sh", ["-c", watchdog, `sewa-${name}`, ...command], {
    cwd: root,
    env: childEnv(variables),
    stdio: ["pipe", "inherit", "inherit"],
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await ended;
  clearTimeout(timer);
}

function describe({ described, mailHouse }: Parts): void {
  const lines = [
    ...described,
    `Settings: ${envFile}, which \`npm run sewa\` reads`,
    `API: http://127.0.0.1:${env.PORT}/trpc (HTTP and WebSocket)`,
    ...(mailHouse === null ? [] : [`Mails: ${mailHouse.pageUrl}`]),
    `Customer: ${seededCustomer}, password ${seededPassword} unless you changed it`,
    `Operator: ${seededOperator}, password ${seededPassword} unless you changed it`,
    "Files are watched; server and worker restart on change. Ctrl-C stops everything.",
  ];
  process.stdout.write(`\n${lines.map((line) => `  ${line}`).join("\n")}\n\n`);
}
