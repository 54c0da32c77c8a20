import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { appRouter } from "@sewa/api";
import { type BuiltContract, buildContract } from "@sewa/api/build";

const home = fileURLToPath(new URL(".", import.meta.url));
export const compilers = ["typescript-lowest", "typescript-newest"] as const;
export type Compiler = (typeof compilers)[number];

/** A frontend in a folder of its own, with the packed contract and the client packages installed and nothing else. */
export interface Frontend extends AsyncDisposable {
  readonly built: BuiltContract;
  compile(compiler: Compiler, file: string): Promise<Compiled>;
}

export interface Compiled {
  /** Without those inside other people's declarations. */
  readonly errors: readonly string[];
  readonly files: readonly string[];
  readonly instantiations: number;
}

export const procedures = Object.entries(appRouter._def.procedures).map(([path, procedure]) => ({
  path,
  type: (procedure as unknown as { _def: { type: string } })._def.type,
}));

export async function setUpFrontend(): Promise<Frontend> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "sewa-frontend-")));
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@trpc"), { recursive: true });
  const built = await buildContract(join(modules, "@sewa", "api"));
  for (const name of ["@trpc/client", "@trpc/server", "superjson"])
    await symlink(await realpath(join(home, "node_modules", name)), join(modules, name));
  await cp(join(home, "consumer"), folder, { recursive: true });
  await writeFile(join(folder, "every-procedure.ts"), everyProcedure());
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "frontend", type: "module" }));
  return {
    built,
    compile: (compiler, file) => compile(folder, compiler, file),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Uses each procedure once; an input or an output that has become `any` takes the error away that is expected here. */
function everyProcedure(): string {
  const uses = procedures.map(({ path, type }, index) => {
    const keys = path
      .split(".")
      .map((key) => `[${JSON.stringify(key)}]`)
      .join("");
    const method = { query: "query", mutation: "mutate", subscription: "subscribe" }[type] ?? type;
    return [
      `export const call${index} = api.${path}.${method};`,
      `declare const output${index}: RouterOutputs${keys};`,
      `// @ts-expect-error -- The output of ${path} is something.`,
      `export const isAnyOutput${index}: symbol = output${index};`,
      `// @ts-expect-error -- The input of ${path} is something.`,
      `export const isAnyInput${index}: RouterInputs${keys} = Symbol();`,
    ].join("\n");
  });
  return `import "./mistakes.js";\nimport type { RouterInputs, RouterOutputs } from "@sewa/api";\nimport { api } from "./frontend.js";\n${uses.join("\n")}\n`;
}

const options = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  target: "es2022",
  lib: ["es2022", "dom"],
  module: "esnext",
  moduleResolution: "bundler",
  types: [],
};

/** Twice: fast and measured, with libraries trusted; then with every declaration checked, of which ours must be right. */
async function compile(folder: string, compiler: Compiler, file: string): Promise<Compiled> {
  const config = join(folder, `tsconfig.${file}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions: options, files: [file] }));
  const tsc = join(home, "node_modules", compiler, "bin", "tsc");
  // With several threads the newest compiler works some types out several times, and the count is no longer repeatable.
  const alone = compiler === "typescript-newest" ? ["--singleThreaded"] : [];
  const measured = await run(
    tsc,
    ["-p", config, "--skipLibCheck", "--listFiles", "--extendedDiagnostics", ...alone],
    folder,
  );
  const thorough = await run(tsc, ["-p", config], folder);
  const lines = `${measured}\n${thorough}`.split("\n");
  const instantiations = Number(/^Instantiations:\s+(\d+)/m.exec(measured)?.[1]);
  if (!Number.isFinite(instantiations))
    throw new Error(`The compiler says nothing of instantiations:\n${measured.slice(0, 2_000)}`);
  return {
    errors: lines.filter((line) => /error TS\d+/.test(line) && !/^(\.\.\/|node_modules\/(?!@sewa\/))/.test(line)),
    files: lines.filter((line) => /^\/.+\.[mc]?ts$/.test(line)),
    instantiations,
  };
}

function run(tsc: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...args, "--pretty", "false"], { cwd, maxBuffer: 64 * 1_024 ** 2 }, (_, stdout) =>
      resolve(stdout),
    );
  });
}
