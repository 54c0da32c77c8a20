import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { checkDomains, checkFileCircles } from "./architecture-domains.ts";
import { FILE_RULES, type Violation } from "./architecture-rules.ts";
import { parseSource, type SourceFile } from "./architecture-source.ts";

const FOLDERS = ["apps", "packages", "tests", "bench"];
// The consumer is a frontend outside of the house, compiled against the packed contract.
const SKIPPED = /(^|\/)(node_modules|dist|\.turbo)\/|^tests\/types\/consumer\//;

export function checkSources(files: readonly SourceFile[]): readonly Violation[] {
  return [
    ...files.flatMap((file) => FILE_RULES.flatMap((rule) => rule(file))),
    ...checkDomains(files),
    ...checkFileCircles(files),
  ];
}

/** Reads every TypeScript file of the repository and tells what breaks the rules of the house, as `path:line message`. */
export async function checkArchitecture(root: string): Promise<readonly string[]> {
  const files = await readSources(root);
  return checkSources(files).map(({ path, line, message }) => `${path}:${line} ${message}`);
}

/** Every TypeScript file of the rooms, parsed. */
export async function readSources(root: string): Promise<readonly SourceFile[]> {
  const paths = (await Promise.all(FOLDERS.map((folder) => listTypeScript(root, folder)))).flat();
  return Promise.all(paths.map(async (path) => parseSource(path, await readFile(join(root, path), "utf8"))));
}

async function listTypeScript(root: string, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`.split(sep).join("/");
    if (SKIPPED.test(`${path}/`)) continue;
    if (entry.isDirectory()) found.push(...(await listTypeScript(root, path)));
    else if (entry.isFile() && /\.[cm]?tsx?$/.test(entry.name) && !entry.name.endsWith(".d.ts")) found.push(path);
  }
  return found;
}
