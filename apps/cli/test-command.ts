import { type ChildProcess, fork, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { HostRequest } from "./test-host.ts";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests that run several commands: each is a process, and on a busy machine it takes its seconds to begin. */
export const storyMs = 120_000;

export const repository = fileURLToPath(new URL("../../", import.meta.url));

const commandMs = 60_000;

/**
 * Runs `sewa …` from the root of the repository, in a process that has run others before, with exactly this environment and `input` as its
 * standard input.
 */
export async function sewa(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Outcome> {
  const process = (host ??= startHost());
  const id = (requests += 1);
  const answered = Promise.withResolvers<Outcome>();
  const onMessage = (answer: { readonly id: number; readonly outcome: Outcome }): void => {
    if (answer.id === id) answered.resolve(answer.outcome);
  };
  const onEnd = (): void => answered.reject(new Error(`sewa ${args.join(" ")} has ended the process of all commands.`));
  process.on("message", onMessage).once("close", onEnd);
  const late = setTimeout(() => process.kill(), commandMs);
  process.send({ id, args, env: { ...path, ...env }, input } satisfies HostRequest);
  try {
    return await answered.promise;
  } finally {
    clearTimeout(late);
    process.off("message", onMessage).off("close", onEnd);
    if (!process.connected) host = null;
  }
}

let requests = 0;
let host: ChildProcess | null = null;

/** Ends when the channel to it is closed, as it is when the tests end. */
function startHost(): ChildProcess {
  const main = fileURLToPath(new URL("./test-host.ts", import.meta.url));
  const child = fork(main, { cwd: repository, env: path, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.unref();
  child.channel?.unref();
  return child;
}

const path = { PATH: process.env["PATH"] ?? "" };

/** Runs `sewa …` as a process of its own, which reads `input` from its standard input. */
export async function sewaProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Outcome> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    cwd: repository,
    env: { ...path, ...env },
    timeout: commandMs,
  });
  const collect = (stream: NodeJS.ReadableStream): Promise<string> => {
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    return new Promise((resolve) => stream.once("close", () => resolve(text)));
  };
  const texts = Promise.all([collect(child.stdout), collect(child.stderr)]);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await texts;
  return { code, stdout, stderr };
}
