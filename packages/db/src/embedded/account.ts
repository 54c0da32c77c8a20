import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";

/** The account that PostgreSQL runs under when it cannot be ours; null means "as we are". */
export type Account = { readonly uid: number; readonly gid: number } | null;

const NOBODY = process.platform === "darwin" ? 4_294_967_294 : 65_534;

/** PostgreSQL refuses to run as root, so root's PostgreSQL runs as "nobody", which exists everywhere and owns nothing. */
export function postgresAccount(): Account {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : null;
}

/**
 * Whether the account can enter this directory (or run this file), asked of the kernel itself: modes alone do not tell
 * about access lists, mounts and user namespaces. The path has to exist.
 */
export function canEnter(path: string, account: Account): boolean {
  if (account === null) {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
  const result = spawnSync("/bin/sh", ["-c", 'test -x "$0"', path], { ...account, cwd: "/", stdio: "ignore" });
  if (result.error !== undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and this process may not start a program as uid ${account.uid} (${result.error.message}). ` +
        "Run it as an ordinary user, or name a database of your own in DATABASE_URL.",
    );
  }
  return result.status === 0;
}

/** A directory for things that PostgreSQL's account has to reach: the first of the preferred and of the usual temporary ones that it can enter. */
export function shelterFor(account: Account, preferred: readonly string[]): string {
  for (const candidate of [...preferred, "/tmp", "/var/tmp", "/dev/shm"]) {
    try {
      accessSync(candidate, constants.W_OK | constants.X_OK);
    } catch {
      continue;
    }
    if (canEnter(candidate, account)) return candidate;
  }
  throw new Error("No temporary directory that PostgreSQL can enter was found. Set TMPDIR to one.");
}
