import { spawn } from "node:child_process";
import { join } from "node:path";
import { repository } from "./test-command.ts";

/** A process of the house that runs beside the command under test. Ended with SIGTERM when it is disposed of. */
export interface HouseProcess extends AsyncDisposable {
  /** What it wrote once it was ready. */
  readonly greeting: string;
}

/** Starts `file` (from the root of the repository) and resolves when its output matches `ready`. */
export async function startHouseProcess(
  file: string,
  env: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<HouseProcess> {
  const child = spawn(process.execPath, [join(repository, file)], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const greeting = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (ready.test(output)) resolve(output);
    });
    void exited.then(() => reject(new Error(`${file} did not start.\n${output}`)));
  });
  return {
    greeting,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
