import { Readable } from "node:stream";
import { execute } from "./execute.ts";
import type { Outcome } from "./test-command.ts";

/** One command, the whole environment in which it runs, and what it reads. */
export interface HostRequest {
  readonly id: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

// A process that runs commands one after the other: most of a command is its start. Ends with the tests that started it.
let last = Promise.resolve();
process.on("disconnect", () => process.exit());
process.on("message", ({ id, ...request }: HostRequest) => {
  last = last.then(async () => {
    process.send?.({ id, outcome: await run(request) });
  });
});

async function run({ args, env, input }: Omit<HostRequest, "id">): Promise<Outcome> {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  Object.defineProperty(process, "stdin", { configurable: true, value: Readable.from([Buffer.from(input)]) });
  process.exitCode = 0;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  await execute(args).finally(() => [stdout, stderr].forEach(({ release }) => release()));
  const code = Number(process.exitCode);
  process.exitCode = 0;
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function capture(stream: NodeJS.WriteStream): { readonly text: () => string; readonly release: () => void } {
  const chunks: string[] = [];
  const write = stream.write.bind(stream);
  stream.write = ((chunk: string | Uint8Array) => {
    chunks.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    return true;
  }) as typeof stream.write;
  return { text: () => chunks.join(""), release: () => void (stream.write = write) };
}
