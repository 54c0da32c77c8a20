import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./failure.ts";

/** Asks on the terminal without showing what is typed; takes the first line of standard input where there is none. */
export async function askPassword(): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTerminal });
  try {
    if (isTerminal) process.stderr.write("Password: ");
    // Ctrl-C or an empty input ends it without a line.
    const ended = new Promise<null>((resolve) => lines.once("close", () => resolve(null)));
    const password = await Promise.race([new Promise<string>((resolve) => lines.once("line", resolve)), ended]);
    if (isTerminal) process.stderr.write("\n");
    if (password === null || password === "") throw new UsageError("No password was given.");
    return password;
  } finally {
    lines.close();
  }
}
