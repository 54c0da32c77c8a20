import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { canEnter, shelterFor, type Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";

export interface DataDirectory {
  /** Where the data really is. */
  readonly path: string;
  readonly password: string;
  /** The directory to remove when PostgreSQL has ended, or null when the data is kept. */
  readonly removeAfterwards: string | null;
}

const SUPERUSER = "sewa";

const memoryFolder = "/dev/shm";
/** Many times what the databases of a run of tests take at once. */
const memoryBytes = 4 * 1024 ** 3;

/** A data directory that lives as long as its server: on the disk, or in memory when that is allowed and there is plenty. */
export function temporaryDataDirectory(binaries: Binaries, account: Account, mayUseMemory: boolean): DataDirectory {
  const preferred = mayUseMemory && hasMemory() ? [memoryFolder, tmpdir()] : [tmpdir()];
  const home = mkdtempSync(join(shelterFor(account, preferred), "sewa-postgres-"));
  if (account !== null) chownSync(home, account.uid, account.gid);
  const path = join(home, "data");
  const password = newPassword();
  try {
    initialise(path, password, binaries, account, false);
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
  return { path, password, removeAfterwards: home };
}

function hasMemory(): boolean {
  if (!existsSync(memoryFolder)) return false;
  const { bavail, bsize } = statfsSync(memoryFolder);
  return Math.min(bavail * bsize, process.availableMemory()) >= memoryBytes;
}

/**
 * A data directory that is kept. It is `requested`, or, when PostgreSQL's account cannot enter that, a directory elsewhere
 * whose path is written to the file `<requested>.path`. The superuser's password is in `<requested>.password` (mode 0600).
 */
export function keptDataDirectory(
  requested: string,
  binaries: Binaries,
  account: Account,
  durable: boolean,
): DataDirectory {
  const wanted = resolve(requested);
  mkdirSync(dirname(wanted), { recursive: true });
  const path = reachable(wanted, account);
  const passwordFile = `${wanted}.password`;
  if (!existsSync(path)) {
    const password = existsSync(passwordFile) ? readFileSync(passwordFile, "utf8").trim() : newPassword();
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    initialise(path, password, binaries, account, durable);
    return { path, password, removeAfterwards: null };
  }
  const version = readIfThere(join(path, "PG_VERSION"));
  if (version === null)
    throw new Error(`${path} exists and is not a PostgreSQL data directory. Choose another or remove it.`);
  if (version !== binaries.major) {
    throw new Error(
      `The data in ${path} was written by PostgreSQL ${version}, this one is ${binaries.major}. ` +
        `Move it away, or dump it with PostgreSQL ${version} and load it here.`,
    );
  }
  const password = readIfThere(passwordFile);
  if (password === null) throw new Error(`${passwordFile}, the password of the data in ${path}, is missing.`);
  return { path, password, removeAfterwards: null };
}

/** The wanted path, or the one that an earlier start chose instead, or a new one that the account can enter. */
function reachable(wanted: string, account: Account): string {
  if (canEnter(dirname(wanted), account)) return wanted;
  const pointer = `${wanted}.path`;
  const chosen = readIfThere(pointer);
  if (chosen !== null && existsSync(chosen)) return chosen;
  // A random name in a directory open to all: nobody can have prepared it for us.
  const home = mkdtempSync(join(shelterFor(account, ["/var/tmp"]), "sewa-postgres-"));
  if (account !== null) chownSync(home, account.uid, account.gid);
  const path = join(home, "data");
  writeFileSync(pointer, `${path}\n`);
  return path;
}

function initialise(path: string, password: string, binaries: Binaries, account: Account, durable: boolean): void {
  // initdb works beside and the result is renamed, so that a start broken off half-way leaves no half data directory.
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const passwordFile = `${path}.initdb-password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== null) {
    chownSync(unfinished, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  try {
    const result = spawnSync(
      binaries.initdb,
      [
        `--pgdata=${unfinished}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        ...(durable ? [] : ["--no-sync"]),
      ],
      { ...account, cwd: "/", encoding: "utf8", env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } },
    );
    if (result.error !== undefined) throw new Error(`initdb could not be started: ${result.error.message}`);
    if (result.status !== 0) throw new Error(`initdb failed in ${unfinished}:\n${result.stderr.trim()}`);
    chmodSync(unfinished, 0o700);
    renameSync(unfinished, path);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function newPassword(): string {
  return randomBytes(18).toString("base64url");
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, "utf8").trim() : null;
}
