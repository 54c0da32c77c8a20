import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const example = fileURLToPath(new URL("../../../examples/next-client", import.meta.url));
const own = new Set(["node_modules", "vendor", ".next", "next-env.d.ts"]);
const installer = ["--yes", "pnpm@12.21.0"];

/** The example as somebody else would have it: alone in a folder, with the packed contract. */
export interface NextClient extends AsyncDisposable {
  readonly folder: string;
  /** Compiles and checks types; answers what the build said. */
  build(): Promise<string>;
  start(port: number, env: Readonly<Record<string, string>>): Promise<AsyncDisposable>;
  /** Runs the client's modules as a browser would; answers what it saw. */
  browse(args: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
}

export async function installClient(): Promise<NextClient> {
  const { scripts } = JSON.parse(await readFile(join(example, "package.json"), "utf8")) as {
    scripts: Readonly<Record<string, string>>;
  };
  // The documented command makes the package; what it leaves in the example is left out of what is copied.
  await run("sh", ["-c", scripts["contract"] ?? "false"], example);
  const folder = await realpath(await mkdtemp(join(tmpdir(), "sewa-next-")));
  await cp(example, folder, { recursive: true, filter: (path) => !own.has(basename(path)) });
  await cp(join(example, "vendor"), join(folder, "vendor"), { recursive: true });
  await run("npx", [...installer, "install", "--frozen-lockfile", "--prefer-offline"], folder);
  const next = join(folder, "node_modules", "next", "dist", "bin", "next");
  return {
    folder,
    build: () => run(process.execPath, [next, "build"], folder),
    async start(port, env) {
      const child = spawn(process.execPath, [next, "start", "--hostname", "127.0.0.1", "--port", String(port)], {
        cwd: folder,
        env: { ...environment, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      await answers(child, `http://127.0.0.1:${port}/log-in`);
      return { [Symbol.asyncDispose]: () => stop(child) };
    },
    async browse(args) {
      const outfile = join(folder, "browser.mjs");
      const entry = join(folder, "play-browser.mjs");
      await cp(fileURLToPath(new URL("browser.mjs", import.meta.url)), entry);
      await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "silent" });
      return JSON.parse(await run(process.execPath, [outfile, ...args], folder)) as Readonly<Record<string, unknown>>;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** What is set for this test's own process, such as its mode, is nobody else's business; how registries are reached is. */
const ofThisProcess = /^(NODE_ENV|NODE_OPTIONS|MODE|TEST|DEV|PROD|SSR|BASE_URL|VITEST.*|SEWA_.*)$/;
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofThisProcess.test(name))),
  NEXT_TELEMETRY_DISABLED: "1",
  NODE_ENV: "production",
  CI: "1",
};

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  // An installation for production would leave the compiler out.
  const env = { ...environment, ...(program === "npx" ? { NODE_ENV: "development" } : {}) };
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 16 * 1_024 ** 2 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${program} ${args[0] ?? ""} failed.\n${stdout}\n${stderr}`, { cause: error });
  }
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  for (const end = performance.now() + 60_000; performance.now() < end && child.exitCode === null;) {
    const response = await fetch(url).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop(child);
  throw new Error(`The client did not answer.\n${said}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}
