import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isFree } from "./architecture-rooms.ts";
import { readSources } from "./architecture.ts";
import type { SourceFile } from "./architecture-source.ts";

/** A variable of .env.example and the sentence above it. */
export interface ExampleVariable {
  readonly name: string;
  readonly line: number;
  readonly comment: string;
}

const EXAMPLE = ".env.example";
const ASSIGNMENT = /^#? ?([A-Z][A-Z0-9_]*)=/;
const SENTENCE = /^# \S.*[.:)]$/;

/** `NAME=value` or, for what is usually left out, `# NAME=value`; comment lines right above belong to it. */
export function parseExample(text: string): readonly ExampleVariable[] {
  const variables: ExampleVariable[] = [];
  let comment: string[] = [];
  text.split("\n").forEach((content, index) => {
    const name = ASSIGNMENT.exec(content)?.[1];
    if (name !== undefined) variables.push({ name, line: index + 1, comment: comment.join("\n") });
    comment = name === undefined && content.startsWith("#") ? [...comment, content] : [];
  });
  return variables;
}

/** The file and the code have to know the same variables, each with a sentence for a person. */
export function compareEnvironment(
  example: readonly ExampleVariable[],
  readers: ReadonlyMap<string, string>,
): readonly string[] {
  const names = new Set(example.map(({ name }) => name));
  return [
    ...[...readers]
      .filter(([name]) => !names.has(name))
      .map(([name, reader]) => `${EXAMPLE}: ${name}, read in ${reader}, is missing`),
    ...example
      .filter(({ name }) => !readers.has(name))
      .map(({ name, line }) => `${EXAMPLE}:${line} ${name} is read nowhere`),
    ...example
      .filter(({ comment }) => !SENTENCE.test(comment.split("\n").at(-1) ?? ""))
      .map(({ name, line }) => `${EXAMPLE}:${line} ${name} has no sentence above it`),
    ...example
      .filter(({ name }, index) => example.findIndex((other) => other.name === name) !== index)
      .map(({ name, line }) => `${EXAMPLE}:${line} ${name} stands there twice`),
  ];
}

const READ = /\bprocess\.env(?:\.([A-Z][A-Z0-9_]*)|\[["'])/g;

/** The variables that a file reads by name from `process.env`. */
export function variablesRead(file: SourceFile, text: string): readonly string[] {
  return [...file.code.matchAll(READ)].flatMap((match) => {
    if (match[1] !== undefined) return match[1];
    return /^[A-Z][A-Z0-9_]*/.exec(text.slice(match.index + match[0].length))?.[0] ?? [];
  });
}

// Set by the system or by tools, not by whoever installs Sewa.
const GIVEN = new Set(["PATH", "HOME", "TMPDIR", "NODE_ENV", "CI", "NO_COLOR", "FORCE_COLOR", "VITEST"]);

/**
 * Compares .env.example with the code: the keys of each app's `envSchema` and what other files read by name. Says nothing
 * while no app reads its environment yet.
 */
export async function checkEnvironment(root: string): Promise<readonly string[]> {
  const readers = new Map<string, string>();
  const sources = await readSources(root);
  const doors = sources.filter(({ path }) => /^apps\/[^/]+\/(src\/)?env\.ts$/.test(path));
  if (doors.length === 0) return [];
  for (const { path } of doors) {
    const door = (await import(pathToFileURL(join(root, path)).href)) as {
      envSchema?: { shape?: Record<string, unknown> };
    };
    if (door.envSchema?.shape === undefined) return [`${path} exports no envSchema made by z.object`];
    for (const name of Object.keys(door.envSchema.shape)) readers.set(name, path);
  }
  for (const file of sources) {
    if (isFree(file.path)) continue; // Fixtures, and numbers for one run.
    const text = await readFile(join(root, file.path), "utf8");
    for (const name of variablesRead(file, text)) if (!readers.has(name)) readers.set(name, file.path);
  }
  for (const name of GIVEN) readers.delete(name);
  if (!existsSync(join(root, EXAMPLE))) return [`${EXAMPLE} is missing`];
  return compareEnvironment(parseExample(await readFile(join(root, EXAMPLE), "utf8")), readers);
}
