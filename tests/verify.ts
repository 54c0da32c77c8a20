import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkArchitecture } from "./architecture.ts";
import { checkEnvironment } from "./docs-env.ts";
import { checkDocuments } from "./docs-links.ts";

// Everything that can be known without a service, in seconds: `npm run verify`. All steps run, all failures are shown.

/** Resolves with what is wrong; nothing means that the step passed. */
type Step = readonly [name: string, check: () => Promise<string>];

const root = fileURLToPath(new URL("..", import.meta.url));

const steps: readonly Step[] = [
  ["types", command("tsc", "-p", "tsconfig.json")],
  ["lint", command("oxlint", "--type-aware", "--quiet")],
  ["format", command("prettier", "--check", "--log-level=warn", "--cache", ".")],
  ["boundaries", command("turbo", "boundaries")],
  ["architecture", listing(checkArchitecture)],
  ["documents", listing(checkDocuments)],
  ["environment", listing(checkEnvironment)],
];

function command(program: string, ...parameters: readonly string[]): () => Promise<string> {
  return () =>
    new Promise((resolve) => {
      const bin = join(root, "node_modules", ".bin");
      const child = spawn(join(bin, program), parameters, {
        cwd: root,
        env: { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, TURBO_TELEMETRY_DISABLED: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.on("error", (error) => resolve(`${program} could not be started: ${error.message}`));
      child.on("close", (code) =>
        resolve(code === 0 ? "" : output.trim() || `${program} ended with ${code ?? "a signal"}`),
      );
    });
}

function listing(check: (root: string) => Promise<readonly string[]>): () => Promise<string> {
  return async () => {
    try {
      return (await check(root)).join("\n");
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  };
}

async function verify(): Promise<boolean> {
  const failures: { readonly name: string; readonly output: string }[] = [];
  const waiting = [...steps];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const [name, check] = step;
      const start = performance.now();
      const output = await check();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${output === "" ? "ok    " : "FAILED"} ${name.padEnd(12)} ${seconds.padStart(5)} s`);
      if (output !== "") failures.push({ name, output });
    }
  };
  // The tools are parallel themselves: two at a time keep two cores busy and no more.
  await Promise.all(Array.from({ length: Math.max(2, Math.floor(availableParallelism() / 2)) }, work));
  for (const { name, output } of failures) console.log(`\n--- ${name} ---\n${output}`);
  return failures.length === 0;
}

process.exitCode = (await verify()) ? 0 : 1;
