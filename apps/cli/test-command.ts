import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests that run several commands: each is a process, and on a busy machine it takes its seconds to begin. */
export const storyMs = 120_000;

export const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Runs `sewa …` from the root of the repository as a process of its own, with exactly this environment. */
export async function sewa(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Outcome> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    cwd: repository,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    timeout: 60_000,
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
