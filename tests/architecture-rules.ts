import { builtinModules } from "node:module";
import { FREE_ROOMS, isFree, isTest, isWithin, resolveRelative, roomOf } from "./architecture-rooms.ts";
import { lineAt, type SourceFile } from "./architecture-source.ts";

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

type Rule = (file: SourceFile) => readonly Violation[];

const BUILTIN = new Set(builtinModules);
// Test tools come from the root of the workspace, the same for every room.
const TEST_TOOLS = ["vitest", "fast-check"];
const CONFIGURATION = /(^|\/)[a-z-]+\.config\.ts$/;

/** A folder under apps/ or packages/ has to be a room of the table. */
export const knownRooms: Rule = (file) =>
  roomOf(file.path) !== undefined || isFree(file.path) || !/^(apps|packages)\//.test(file.path)
    ? []
    : [
        at(
          file,
          1,
          `${file.path.split("/").slice(0, 2).join("/")} is no room of the house: a new package needs an ADR and a line in tests/architecture-rooms.ts`,
        ),
      ];

/** Packages of ours and of others, by the table of rooms. */
export const roomImports: Rule = (file) => {
  const room = roomOf(file.path);
  if (room === undefined) return [];
  const test = isTest(file.path);
  const mayImport = [...room.ours, ...(test ? (room.oursInTests ?? []) : [])];
  return file.imports.flatMap(({ specifier, line }) => {
    if (specifier.startsWith(".")) return [];
    if (specifier.startsWith("@sewa/")) {
      return mayImport.includes(specifier) ? [] : [at(file, line, `${room.folder} may not import ${specifier}`)];
    }
    if ((room.never ?? []).some((name) => isWithin(specifier, name)))
      return [at(file, line, `${room.folder} never imports ${specifier}`)];
    const tool = (test && TEST_TOOLS.some((name) => isWithin(specifier, name))) || CONFIGURATION.test(file.path);
    if (isBuiltin(specifier) || tool || room.only === undefined || room.only.some((name) => isWithin(specifier, name)))
      return [];
    return [at(file, line, `${room.folder} may not import ${specifier}`)];
  });
};

/** Tests, the bench and the laptop house are imported by nobody; other packages only by their name. */
export const relativeImports: Rule = (file) => {
  const home = roomOf(file.path)?.folder ?? FREE_ROOMS.find((folder) => file.path.startsWith(`${folder}/`));
  if (home === undefined) return [];
  return file.imports.flatMap(({ specifier, line }) =>
    specifier.startsWith(".") && !resolveRelative(file.path, specifier).startsWith(`${home}/`)
      ? [at(file, line, `${specifier} leaves ${home}: import a package by its name`)]
      : [],
  );
};

/** What exists for tests is imported by tests. (Of other packages, the table of rooms says it.) */
export const testingImports: Rule = (file) => {
  const home = roomOf(file.path)?.folder;
  if (home === undefined || isTest(file.path)) return [];
  return file.imports.flatMap(({ specifier, line }) => {
    const target = resolveRelative(file.path, specifier);
    const isOurs = specifier.startsWith(".") && target.startsWith(`${home}/`);
    return isOurs && isTest(target) ? [at(file, line, `${specifier} is for tests only`)] : [];
  });
};

const ENVIRONMENT =
  /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[\s*["'`]|\bimport\.meta\.env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/g;
const ENVIRONMENT_DOORS = [
  /^apps\/[^/]+\/(src\/)?env\.ts$/,
  /^packages\/db\/src\/migrate-cli\.ts$/,
  /^packages\/devcluster\/src\/main\.ts$/,
];

/** The environment comes in through one door per process. */
export const environmentDoor: Rule = (file) =>
  isTest(file.path) || ENVIRONMENT_DOORS.some((door) => door.test(file.path)) || !/^(apps|packages)\//.test(file.path)
    ? []
    : [
        ...matches(file, ENVIRONMENT, "the environment is read in apps/*/env.ts only"),
        ...file.imports
          .filter(({ specifier }) => specifier === "process" || specifier === "node:process")
          .map(({ line }) => at(file, line, "use the global process, so that reading its env can be seen")),
      ];

const WORLD =
  /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\w\s]*\())|\bMath\s*\.\s*random\b|\bperformance\s*\.\s*now\b|\bTemporal\s*\.\s*Now\b/g;

/** Time and chance come in through the context, so that a test clock is the only clock there is. */
export const pureCore: Rule = (file) =>
  !file.path.startsWith("packages/core/") || isTest(file.path) || file.path === "packages/core/src/clock.ts"
    ? []
    : matches(file, WORLD, "core takes time and chance from the context (packages/core/src/clock.ts)");

/** The contract touches no process. */
export const pureApi: Rule = (file) =>
  file.path.startsWith("packages/api/src/") && !isTest(file.path)
    ? matches(file, /\bprocess\s*(?:\?\.|\.|\[)/g, "the contract touches no process")
    : [];

/** Rules that see one file at a time. */
export const FILE_RULES: readonly Rule[] = [
  knownRooms,
  roomImports,
  relativeImports,
  testingImports,
  environmentDoor,
  pureCore,
  pureApi,
];

export function at(file: SourceFile, line: number, message: string): Violation {
  return { path: file.path, line, message };
}

function matches(file: SourceFile, pattern: RegExp, message: string): readonly Violation[] {
  return [...file.code.matchAll(pattern)].map((match) =>
    at(file, lineAt(file.code, match.index), `${match[0].trim()}: ${message}`),
  );
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || BUILTIN.has(specifier);
}
