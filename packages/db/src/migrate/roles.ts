import type { Sql } from "postgres";
import { databaseErrorOf } from "../errors.ts";
import { MigrationError } from "./files.ts";

/** `sewa_owner` owns and migrates; `sewa_app` is the server; `sewa_worker` is the worker and owns graphile-worker's schema. */
export const ROLES = ["sewa_owner", "sewa_app", "sewa_worker"] as const;
export type Role = (typeof ROLES)[number];

const ATTEMPTS = 20;
// duplicate_object and unique_violation: somebody else made the role. XX000: "tuple concurrently updated" by two grants.
const RACE_CODES = new Set(["42710", "23505", "XX000"]);

/**
 * Makes the roles and lets the connecting user become them. Roles belong to the whole cluster while an advisory lock holds
 * for one database only, so two migrations of two databases can meet here: each statement is written to be repeated.
 */
export async function ensureRoles(sql: Sql): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const role of ROLES) await ensureRole(sql, role);
      await ensureMember(sql, "sewa_worker", "sewa_owner"); // So that a migration can hand a definer function to the worker.
      return;
    } catch (error) {
      const code = databaseErrorOf(error)?.code;
      if (code === "42501") throw new MigrationError(missingRight(error), { cause: error });
      if (code === undefined || !RACE_CODES.has(code) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Lets the owner and the worker make schemas in this database, and gives `public` to the owner. */
export async function ensureDatabaseRights(sql: Sql): Promise<void> {
  const [database] = await sql<{ name: string }[]>`select quote_ident(current_database()) as name`;
  try {
    for (const role of ["sewa_owner", "sewa_worker"] as const) {
      if (await mayCreate(sql, role)) continue;
      await sql.unsafe(`grant create on database ${database?.name} to ${role}`);
      // Without the right to grant, PostgreSQL only warns.
      if (!(await mayCreate(sql, role))) throw new MigrationError(DATABASE_OWNER_NEEDED);
    }
    const [schema] = await sql<{ owner: string }[]>`
      select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'public'`;
    if (schema === undefined) await sql`create schema public authorization sewa_owner`;
    else if (schema.owner !== "sewa_owner") await sql`alter schema public owner to sewa_owner`;
  } catch (error) {
    if (databaseErrorOf(error)?.code === "42501") throw new MigrationError(DATABASE_OWNER_NEEDED, { cause: error });
    throw error;
  }
}

const DATABASE_OWNER_NEEDED =
  "The user in DATABASE_URL has to own the database (or be a superuser) so that it can hand rights in it to sewa_owner and sewa_worker: " +
  "alter database … owner to …;";

async function ensureRole(sql: Sql, role: Role): Promise<void> {
  const [found] = await sql<{ rolsuper: boolean; rolbypassrls: boolean }[]>`
    select rolsuper, rolbypassrls from pg_roles where rolname = ${role}`;
  if (found === undefined) await sql.unsafe(`create role ${role} nologin`);
  else if (found.rolsuper || found.rolbypassrls) {
    throw new MigrationError(
      `The role ${role} may bypass row-level security. Run: alter role ${role} nosuperuser nobypassrls;`,
    );
  }
  const [user] = await sql<{ name: string }[]>`select quote_ident(current_user) as name`;
  if (user !== undefined) await ensureMember(sql, role, user.name);
}

/** `member` is an identifier, quoted where it has to be. Set, not inherit: rights are taken on by `set role` and seen in it. */
async function ensureMember(sql: Sql, role: Role, member: string): Promise<void> {
  const [row] = await sql<{ isMember: boolean }[]>`
    select pg_has_role(${member}::regrole::oid, ${role}::name, 'SET') as "isMember"`;
  if (row?.isMember !== true) await sql.unsafe(`grant ${role} to ${member} with set true, inherit false`);
}

async function mayCreate(sql: Sql, role: Role): Promise<boolean> {
  const [row] = await sql<
    { may: boolean }[]
  >`select has_database_privilege(${role}::name, current_database(), 'CREATE') as may`;
  return row?.may === true;
}

function missingRight(error: unknown): string {
  const detail = error instanceof Error ? error.message : String(error);
  return (
    `The roles ${ROLES.join(", ")} could not be set up (${detail}). Give the user in DATABASE_URL the attribute CREATEROLE, ` +
    `or let an administrator run: create role … nologin; grant ${ROLES.join(", ")} to … with admin option;`
  );
}
