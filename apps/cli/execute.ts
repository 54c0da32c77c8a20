import { describeFailure } from "./failure.ts";
import { createProgram } from "./program.ts";

/** Runs one command with what was typed after `sewa`, and leaves its end in `process.exitCode`. */
export async function execute(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    const { exitCode, message } = describeFailure(error);
    if (message !== "") process.stderr.write(`${message}\n`);
    process.exitCode = exitCode;
  }
}
