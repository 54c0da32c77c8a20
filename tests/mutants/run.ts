import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, mutants } from "./mutants.ts";

// Puts known bugs into a copy of the sources, one after the other, and asks whether a test finds them. With words behind
// the command, only those whose name holds one of them.

const root = fileURLToPath(new URL("../../", import.meta.url));
const words = process.argv.slice(2);
const chosen = mutants.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), "sewa-mutants-"));
  const left = new Set([".git", ".sewa", ".pnpm", ".turbo"]);
  // Links of workspaces are relative, and so lead into the copy; what came from a registry is shared.
  const filter = (path: string): boolean =>
    !relative(root, path)
      .split("/")
      .some((part) => left.has(part));
  for (const name of readdirSync(root)) {
    const from = join(root, name);
    if (filter(from)) cpSync(from, join(copy, name), { recursive: true, verbatimSymlinks: true, filter });
  }
  symlinkSync(join(root, "node_modules/.pnpm"), join(copy, "node_modules/.pnpm"));
  return copy;
}

function passes(copy: string, tests: readonly string[]): boolean {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--bail=1", "--reporter=dot", ...tests];
  const { status } = spawnSync(process.execPath, vitest, { cwd: copy, stdio: "ignore" });
  return status === 0;
}

function isCaught(copy: string, { file, find, replace, tests, name }: Mutant): boolean {
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  if (source.split(find).length !== 2) throw new Error(`"${name}" has to find its place in ${file} exactly once.`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  try {
    return !passes(copy, tests);
  } finally {
    writeFileSync(path, source);
  }
}

const copy = copyTree();
try {
  const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
  if (!passes(copy, tests)) throw new Error(`Without any bug these fail already: ${tests.join(" ")}`);
  let caught = 0;
  for (const mutant of chosen) {
    const found = isCaught(copy, mutant);
    if (found) caught += 1;
    process.stdout.write(`${found ? "caught " : "MISSED "} ${mutant.name}\n`);
  }
  process.stdout.write(`${caught}/${chosen.length}\n`);
  process.exitCode = caught === chosen.length && chosen.length > 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
