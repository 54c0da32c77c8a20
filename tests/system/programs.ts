import { mkdtemp, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { inject } from "vitest";
import type {} from "./programs-setup.ts"; // Which declares what is provided.

const repository = fileURLToPath(new URL("../../", import.meta.url));
const programs = ["apps/server/main.ts", "apps/worker/main.ts", "tests/system/faults/worker-process.ts"] as const;
export type Program = (typeof programs)[number];

/** Machine code, and who looks for their files beside themselves: taken from where they are installed. */
const leftAlone = /^(@node-rs\/argon2|pdfkit)$/;

let bundled: Promise<string> | null = null;

/**
 * The file of a program that tests start and kill many times. Node takes three seconds to find and translate the thousands of
 * modules of one; in one file they are there after a quarter of a second. Made once per process of tests.
 */
export async function programFile(program: Program): Promise<string> {
  bundled ??= bundle();
  return join(await bundled, program.replace(/\.ts$/, ".mjs"));
}

async function bundle(): Promise<string> {
  const folder = await mkdtemp(join(inject("sewaProgramsFolder"), "made-"));
  await build({
    absWorkingDir: repository,
    entryPoints: [...programs],
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    outbase: ".",
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
    logLevel: "error",
    plugins: [inPlace],
  });
  return folder;
}

/** Our sources find the files beside them (migrations, the crontab) although they are somewhere else now. */
const inPlace: Plugin = {
  name: "in-place",
  setup(bundler) {
    bundler.onResolve({ filter: leftAlone }, ({ path, resolveDir }) => ({
      path: pathToFileURL(createRequire(join(resolveDir, "_")).resolve(path)).href,
      external: true,
    }));
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (relative(repository, path).includes("node_modules")) return undefined;
      const text = await readFile(path, "utf8");
      return { loader: "ts", contents: text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)) };
    });
  },
};
