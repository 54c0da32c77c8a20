import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./failure.ts";

export function askPassword(): Promise<string> {
  return askSecret("password");
}

/** Of an authenticator app, or a recovery code. */
export function askCode(): Promise<string> {
  return askSecret("code");
}

/** Asks on the terminal without showing what is typed; takes the first line of standard input where there is none. */
async function askSecret(what: "password" | "code"): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTerminal });
  try {
    if (isTerminal) process.stderr.write(what === "password" ? "Password: " : "Code: ");
    // Ctrl-C or an empty input ends it without a line.
    const ended = new Promise<null>((resolve) => lines.once("close", () => resolve(null)));
    const secret = await Promise.race([new Promise<string>((resolve) => lines.once("line", resolve)), ended]);
    if (isTerminal) process.stderr.write("\n");
    if (secret === null || secret === "") throw new UsageError(`No ${what} was given.`);
    return secret;
  } finally {
    lines.close();
  }
}
