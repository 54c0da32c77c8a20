import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";

export interface DocumentProblem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export interface DocumentFacts {
  readonly exists: (path: string) => boolean;
  /** The scripts of the root package.json. */
  readonly scripts: ReadonlySet<string>;
}

const LINK = /\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g;
const SCRIPT = /\bnpm (?:run ([a-z][\w:-]*)|(test)\b)/g;
const OUTSIDE = /^(?:[a-z][a-z0-9+.-]*:|#)/i;

/** What a Markdown file promises and the tree does not hold: relative links, and commands of the root package.json. */
export function checkDocument(path: string, text: string, facts: DocumentFacts): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  let fence: string | null = null;
  text.split("\n").forEach((content, index) => {
    const line = index + 1;
    const mark = /^\s*(```+|~~~+)/.exec(content)?.[1];
    if (mark !== undefined && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null;
    for (const match of content.matchAll(SCRIPT)) {
      const script = match[1] ?? match[2] ?? "";
      if (!facts.scripts.has(script)) problems.push({ path, line, message: `npm has no script ${script}` });
    }
    if (fence !== null) return;
    for (const [, target] of content.replaceAll(/`[^`]*`/g, "").matchAll(LINK)) {
      if (target === undefined || OUTSIDE.test(target)) continue;
      const file = decodeURIComponent(target.split("#")[0] ?? "");
      const resolved = file.startsWith("/") ? file.slice(1) : posix.normalize(posix.join(dirname(path), file));
      if (!facts.exists(resolved)) problems.push({ path, line, message: `the link ${target} leads nowhere` });
    }
  });
  return problems;
}

const SKIPPED = new Set(["node_modules", "dist", ".git", ".turbo", ".sewa", ".next", "vendor"]);

/** Checks every Markdown file of the repository. */
export async function checkDocuments(root: string): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const facts = {
    exists: (path: string) => existsSync(join(root, path)),
    scripts: new Set(Object.keys(manifest.scripts)),
  };
  const problems = await Promise.all(
    (await listMarkdown(root, "")).map(async (path) =>
      checkDocument(path, await readFile(join(root, path), "utf8"), facts),
    ),
  );
  return problems.flat().map(({ path, line, message }) => `${path}:${line} ${message}`);
}

async function listMarkdown(root: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry): Promise<readonly string[]> => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : listMarkdown(root, path);
      return entry.name.endsWith(".md") ? [path] : [];
    }),
  );
  return found.flat();
}
