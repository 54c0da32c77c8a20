import { fileURLToPath } from "node:url";
import { Logger, runMigrations } from "graphile-worker";
import postgres, { type Sql } from "postgres";
import { createWorkerPool } from "../worker-pool.ts";
import { applyMigration, readApplied } from "./apply.ts";
import { decidePending, MigrationError, readMigrationFiles } from "./files.ts";
import { ensureDatabaseRights, ensureRoles } from "./roles.ts";

export interface MigrateOptions {
  /** Of a superuser, or of a user with CREATEROLE that owns the database. */
  readonly url: string;
  /** Folder of `0000_name.sql` files; the package's own by default. */
  readonly folder?: string;
  readonly log?: (line: string) => void;
}

const OWN_FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));
const OLDEST_SERVER = 160_000; // SET without INHERIT on role memberships.
const LOCK = "sewa:migrate";

/**
 * Brings a database up to date: the roles, graphile-worker's schema, then each new SQL file, one transaction per file,
 * as `sewa_owner`. Any number of callers may do it at once; each file is applied once. Throws `MigrationError` when a
 * person has to decide (a changed, missing or late file, a missing right) or a file fails; earlier files stay applied.
 */
export async function migrate(options: MigrateOptions): Promise<{ readonly applied: readonly string[] }> {
  const log = options.log ?? ((): void => undefined);
  const files = await readMigrationFiles(options.folder ?? OWN_FOLDER);
  const sql = postgres(options.url, {
    max: 1, // The lock belongs to the session, so there is one.
    max_lifetime: null,
    idle_timeout: 0,
    connect_timeout: 10,
    connection: { application_name: "sewa-migrate", timezone: "UTC" },
    onnotice: () => undefined,
  });
  try {
    await lock(sql, log);
    await checkServer(sql);
    await ensureRoles(sql);
    await ensureDatabaseRights(sql);
    await installWorkerSchema(options.url);
    const applied: string[] = [];
    for (const file of decidePending(files, await readApplied(sql))) {
      await applyMigration(sql, file);
      applied.push(file.name);
      log(`applied ${file.name}`);
    }
    return { applied };
  } finally {
    await sql.end({ timeout: 5 }); // Which gives the lock back.
  }
}

async function lock(sql: Sql, log: (line: string) => void): Promise<void> {
  const [row] = await sql<{ locked: boolean }[]>`select pg_try_advisory_lock(hashtextextended(${LOCK}, 0)) as locked`;
  if (row?.locked === true) return;
  log("another migration is running; waiting for it");
  await sql`select pg_advisory_lock(hashtextextended(${LOCK}, 0))`;
}

async function checkServer(sql: Sql): Promise<void> {
  const [row] = await sql<{ version: number; name: string }[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as name`;
  if (row !== undefined && row.version < OLDEST_SERVER) {
    throw new MigrationError(`PostgreSQL ${row.name} is too old: 16 or newer is needed.`);
  }
}

/** Before our own files, so that they can build on it; as `sewa_worker`, whose tables the worker may use without further grants. */
async function installWorkerSchema(url: string): Promise<void> {
  await using pool = createWorkerPool({ url, max: 1, applicationName: "sewa-migrate" });
  await runMigrations({ pgPool: pool, logger: new Logger(() => () => undefined) });
}
