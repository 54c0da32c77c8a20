import { enableCompileCache } from "node:module";

// A command is mostly its start, so what was compiled for the last one is kept, in the folder for temporary files.
enableCompileCache();
const { describeFailure } = await import("./failure.ts");
const { createProgram } = await import("./program.ts");

try {
  await createProgram().parseAsync();
} catch (error) {
  const { exitCode, message } = describeFailure(error);
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
