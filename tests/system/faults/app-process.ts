import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "../house.ts";
import { programFile } from "../programs.ts";

/** The server or the worker as in production: a process that runs its `main.ts` (in one file with all that it imports) and nothing else. */
export interface AppProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it told when it had started. */
  readonly started: Readonly<Record<string, string>>;
  /** Everything that it has written so far. */
  output(): string;
  /** Asks it to end; answers the exit code, or the signal that ended it. */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

export interface AppOptions {
  /** Further arguments for Node, before the program. */
  readonly nodeArguments?: readonly string[];
  /** `info` unless told otherwise: the start has to be told. */
  readonly logLevel?: "info" | "trace";
}

/**
 * Nobody is left behind: the pipe to its input closes when the test's own process ends, however it ends. It holds up nobody who has
 * closed everything.
 */
const endsWithParent = `data:text/javascript,process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).resume().unref();`;

/** Resolves when it has started. Killed when it is disposed of. */
export async function startApp(
  app: "server" | "worker",
  env: Readonly<Record<string, string>>,
  { nodeArguments = [], logLevel = "info" }: AppOptions = {},
): Promise<AppProcess> {
  const main = await programFile(`apps/${app}/main.ts`);
  const child = spawn(process.execPath, ["--import", endsWithParent, ...nodeArguments, main], {
    env: { PATH: process.env["PATH"], ...env, LOG_LEVEL: logLevel },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const stop = (signal: NodeJS.Signals): Promise<number | NodeJS.Signals> => {
    child.kill(signal);
    return exited;
  };
  try {
    const line = await until(`the ${app} has started`, () => {
      if (child.exitCode !== null) throw new Error(`The ${app} ended with ${child.exitCode}: ${output}`);
      return output.split("\n").find((text) => text.includes(`"msg":"${app} started"`)) ?? null;
    });
    const started = JSON.parse(line) as Record<string, string>;
    return {
      child,
      started,
      output: () => output,
      stop,
      [Symbol.asyncDispose]: async () => void (await stop("SIGKILL")),
    };
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
}
