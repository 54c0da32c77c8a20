import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const home = fileURLToPath(new URL(".", import.meta.url));
const entry = "contract";
/** All that a frontend has to have installed. Whatever else a declaration names would silently be `any` there. */
const mayName = ["@trpc/server", "@trpc/server/unstable-core-do-not-import"];

export interface BuiltContract {
  /** Paths in the package, the entry first. */
  readonly declarations: readonly string[];
  readonly declarationBytes: number;
}

/**
 * Writes the package that frontends install into `folder`: the declarations that the contract's entry reaches, and the
 * little that runs. Throws when a declaration names a package that frontends do not have.
 */
export async function buildContract(folder: string): Promise<BuiltContract> {
  const emitted = await mkdtemp(join(tmpdir(), "sewa-contract-"));
  try {
    await emit(emitted);
    await rm(folder, { recursive: true, force: true });
    const declarations = await copyReachable(emitted, folder, ".d.ts");
    await copyReachable(emitted, folder, ".js");
    await writeFile(join(folder, "package.json"), `${JSON.stringify(await manifest(), null, 2)}\n`);
    await writeFile(join(folder, "README.md"), await readFile(join(home, "README.frontend.md"), "utf8"));
    const texts = await Promise.all(declarations.map((path) => readFile(join(folder, path), "utf8")));
    return { declarations, declarationBytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) };
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function emit(outDir: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const args = [compiler, "-p", join(home, "tsconfig.build.json"), "--outDir", outDir];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: home });
  } catch (error) {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`The contract does not compile.\n${said}`, { cause: error });
  }
}

const specifiers = /(?:\bfrom |\bimport\()"([^"]+)"/g;

/** Follows imports from the entry. The compiler rewrites `.ts` in what runs and leaves it in declarations, so here it is done for both. */
async function copyReachable(from: string, to: string, extension: ".d.ts" | ".js"): Promise<readonly string[]> {
  const found = [`${entry}${extension}`];
  for (const path of found) {
    const text = await readFile(join(from, path), "utf8");
    for (const [, specifier = ""] of text.matchAll(specifiers)) {
      if (specifier.startsWith(".")) {
        const target = normalize(join(dirname(path), specifier)).replace(/\.(ts|js)$/, extension);
        if (!found.includes(target)) found.push(target);
      } else if (extension === ".d.ts" && !mayName.includes(specifier)) {
        throw new Error(`${path} names ${specifier}, which frontends do not have.`);
      }
    }
    await mkdir(dirname(join(to, path)), { recursive: true });
    // A quarter of what the compiler writes is indentation, and every frontend parses it.
    const narrow = text.replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
    await writeFile(
      join(to, path),
      narrow.replace(specifiers, (match) => match.replace(/\.ts"$/, '.js"')),
    );
  }
  return found;
}

/** Of the package as it is packed: without the server's dependencies, and bound to the tRPC that it was made with. */
async function manifest(): Promise<object> {
  const own = JSON.parse(await readFile(join(home, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license: string;
  };
  const versionOf = async (name: string): Promise<string> => {
    // Not resolved as a module: packages may close their package.json to that.
    const text = await readFile(join(home, "node_modules", name, "package.json"), "utf8");
    return (JSON.parse(text) as { version: string }).version;
  };
  const { name, version, license } = own;
  return {
    name,
    version,
    license,
    type: "module",
    exports: { ".": { types: `./${entry}.d.ts`, default: `./${entry}.js` } },
    sideEffects: false,
    dependencies: { superjson: `^${await versionOf("superjson")}` },
    peerDependencies: { "@trpc/server": `~${await versionOf("@trpc/server")}` },
  };
}

if (import.meta.main) {
  const folder = join(home, "dist");
  const { declarations, declarationBytes } = await buildContract(folder);
  process.stdout.write(
    `${folder}: ${declarations.length} declarations, ${declarationBytes} bytes. Pack it with: npm pack ${folder}\n`,
  );
}
