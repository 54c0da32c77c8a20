import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres, { type Sql } from "postgres";
import { expect, test } from "vitest";
import { createTestDatabase } from "../testing/index.ts";
import { MigrationError } from "./files.ts";
import { migrate } from "./migrate.ts";

const own = fileURLToPath(new URL("../../migrations", import.meta.url));

/** Why the rows of a table may be seen by every customer's transaction, or why a customer's transaction is kept off them otherwise. */
const houseTables: Readonly<Record<string, string>> = {
  account_deletions: "addresses until they are erased; the server has no right to it",
  addon_prices: "the catalog is for all to read",
  addons: "the catalog is for all to read",
  attempt_counters: "hashes of addresses, counted before anybody is known",
  blueprint_versions: "the catalog is for all to read",
  books_runs: "when the house asked its books",
  house: "which installation this is",
  house_head: "where the chain of the operators' audit stands",
  inventory_audits: "when the house looked at its cluster",
  invoice_counters: "one series of numbers for all customers",
  key_rotations: "which key the house closes with",
  node_pools: "room is promised to all customers out of one",
  nodes: "machines are the operator's",
  offerings: "the catalog is for all to read",
  operator_audit_entries: "what operators did to things of the house",
  payment_notices: "what providers said, before anybody knows about whom",
  plans: "the catalog is for all to read",
  prices: "the catalog is for all to read",
  sewa_migrations: "the runner's own",
  sign_in_attempts: "hashes of who is on the way to a provider, before anybody is known",
  tax_rates: "the house's, and hold for all",
  usage_prices: "the catalog is for all to read",
  worker_pools: "processes of the house",
};

async function asSuperuser(url: string): Promise<Sql> {
  return postgres(url, { max: 1, onnotice: () => undefined });
}

test("every table is behind the fence or on the list of the house's, with a reason, and none is on both", async () => {
  await using database = await createTestDatabase();
  const sql = await asSuperuser(database.url);
  const tables = await sql<{ name: string; isFenced: boolean; hasOrganization: boolean; policies: string[] }[]>`
    select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as "isFenced",
      exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped) as "hasOrganization",
      array(select p.polname || ' ' || p.polcmd::text || ' ' || array_to_string(p.polroles::regrole[], '+') from pg_policy p
        where p.polrelid = c.oid and p.polname in ('tenant', 'house', 'worker') order by 1) as policies
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`;
  await sql.end();
  expect(tables.filter(({ isFenced }) => !isFenced).map(({ name }) => name)).toEqual(Object.keys(houseTables));
  expect(tables.filter((table) => table.hasOrganization && !table.isFenced)).toEqual([]);
  for (const { name, policies } of tables.filter(({ isFenced }) => isFenced)) {
    const expected = ["house r sewa_app", "tenant * sewa_app+sewa_owner", "worker * sewa_worker"];
    expect({ name, policies }).toEqual({ name, policies: expected });
  }
});

test("each fence asks for the organization of the transaction, once for each statement, and for nothing that the server could leave out", async () => {
  await using database = await createTestDatabase();
  const sql = await asSuperuser(database.url);
  const policies = await sql<{ table: string; name: string; uses: string; checks: string | null }[]>`
    select tablename as table, policyname as name, qual as uses, with_check as checks from pg_policies
    where schemaname = 'public' and roles <> '{sewa_worker}' order by 1, 2`;
  const others = policies.filter(({ name }) => !["tenant", "house"].includes(name));
  await sql.end();
  for (const { table, uses, checks } of policies.filter(({ name }) => name === "tenant")) {
    const isThroughCoupon = table === "coupon_plans";
    expect({ table, uses }).toEqual({
      table,
      uses: expect.stringContaining(
        isThroughCoupon ? "FROM coupons c" : "SELECT (NULLIF(current_setting('app.organization_id'::text, true)",
      ) as string,
    });
    expect({ table, checks }).toEqual({ table, checks: uses });
  }
  for (const { uses } of policies.filter(({ name }) => name === "house")) {
    expect(uses).toBe("(( SELECT current_setting('app.scope'::text, true) AS current_setting) = 'house'::text)");
  }
  expect(others.map(({ table, name }) => `${table} ${name}`)).toEqual([
    "coupon_plans house_ends",
    "coupon_plans house_makes",
    "coupons house_ends",
    "coupons house_makes",
    "coupons house_writes",
  ]);
});

test("the server's role owns nothing, is no superuser, passes no fence and is in no other role", async () => {
  await using database = await createTestDatabase();
  const sql = await asSuperuser(database.url);
  expect(
    await sql`select rolsuper, rolbypassrls, rolcreaterole, rolcanlogin from pg_roles where rolname in ('sewa_app', 'sewa_worker', 'sewa_owner')`,
  ).toEqual(
    Array.from({ length: 3 }, () => ({
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcanlogin: false,
    })),
  );
  expect(await sql`select 1 from pg_shdepend where refobjid = 'sewa_app'::regrole and deptype = 'o'`).toEqual([]);
  // Emptying a table asks no policy.
  expect(
    await sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and has_table_privilege('sewa_app', oid, 'truncate, references, trigger')`,
  ).toEqual([]);
  expect(await sql`select roleid::regrole::text from pg_auth_members where member = 'sewa_app'::regrole`).toEqual([]);
  await sql.end();
});

test("functions that act with other rights look names up where nobody else can put any, and open for nobody but the roles", async () => {
  await using database = await createTestDatabase();
  const sql = await asSuperuser(database.url);
  const functions = await sql<{ name: string; path: string | null; callers: string[] }[]>`
    select p.proname as name, array_to_string(p.proconfig, ', ') as path,
      array(select distinct case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner order by 1) as callers
    from pg_proc p where p.prosecdef and p.pronamespace = 'public'::regnamespace order by 1`;
  await sql.end();
  for (const { name, path } of functions) {
    expect({ name, path }).toEqual({ name, path: "search_path=pg_catalog, pg_temp" });
  }
  expect(Object.fromEntries(functions.map(({ name, callers }) => [name, callers.join(" ")]))).toEqual({
    cancel_job: "sewa_app",
    credit_notes_add_up: "",
    end_session: "sewa_app",
    enqueue_job: "sewa_app",
    erase_account: "sewa_app",
    forget_ledger: "sewa_worker",
    home_of: "sewa_app",
    invitation_by_token: "sewa_app",
    is_free_place_taken: "sewa_app",
    is_trial_taken: "sewa_app",
    keys_in_use: "sewa_app",
    ledger_move_balance: "",
    lock_account: "sewa_app",
    lock_founder: "sewa_app",
    lock_operators: "sewa_app",
    lock_wallet: "sewa_app sewa_worker",
    mark_session_seen: "sewa_app",
    memberships_of: "sewa_app",
    operator_audit_link: "",
    operator_password_set_at: "sewa_app",
    prolong_session: "sewa_app",
    read_jobs: "sewa_app",
    refunds_add_up: "",
    retry_job: "sewa_app",
    sign_in_by_api_token: "sewa_app",
    sign_in_by_email: "sewa_app",
    sign_in_by_identity: "sewa_app",
    sign_in_by_session: "sewa_app",
    sign_in_by_token: "sewa_app",
    sign_up: "sewa_app",
    spend_sign_in_attempt: "sewa_app",
    spend_socket_ticket: "sewa_app",
    sum_holds_on_node: "sewa_app",
    users_living: "",
  });
});

/** A migrated database with an organization, and a folder of its migrations to put more into. */
async function givenHistory(opening: AsyncDisposableStack): Promise<{ readonly url: string; readonly folder: string }> {
  const database = opening.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "sewa-migrations-"));
  opening.defer(() => rm(folder, { recursive: true }));
  for (const name of (await readdir(own)).filter((each) => each.endsWith(".sql"))) {
    await copyFile(join(own, name), join(folder, name));
  }
  const sql = await asSuperuser(database.url);
  await sql`insert into organizations (id, name, time_zone) values ('00000000-0000-7000-8000-000000000001', 'Ana', 'UTC')`;
  await sql.end();
  return { url: database.url, folder };
}

async function namesIn(url: string): Promise<{ names: string[]; forced: boolean }> {
  const sql = await asSuperuser(url);
  const names = (await sql<{ name: string }[]>`select name from organizations`).map(({ name }) => name);
  const [table] = await sql<{ forced: boolean }[]>`
    select relforcerowsecurity as forced from pg_class where oid = 'organizations'::regclass`;
  await sql.end();
  return { names, forced: table?.forced ?? false };
}

test("a migration that moves rows lifts the fence in its transaction, and it stands again afterwards, also when the file fails", async () => {
  await using opening = new AsyncDisposableStack();
  const { url, folder } = await givenHistory(opening);
  const write = (name: string, statements: readonly string[]): Promise<void> =>
    writeFile(join(folder, name), statements.join("\n--> statement-breakpoint\n"));
  const lift = "alter table organizations no force row level security;";

  await write("9000_forgetful.sql", ["update organizations set name = 'Nobody';"]);
  await migrate({ url, folder });
  expect(await namesIn(url)).toEqual({ names: ["Ana"], forced: true });

  await write("9001_wrong.sql", [lift, "update organizations set name = 'Half done';", "select 1 / 0;"]);
  await expect(migrate({ url, folder })).rejects.toThrow("division by zero");
  expect(await namesIn(url)).toEqual({ names: ["Ana"], forced: true });

  // A constraint that waits for the end of the transaction would not let the table be altered.
  await write("9001_wrong.sql", [
    lift,
    "create function waits() returns trigger language plpgsql as 'begin return null; end';",
    "create constraint trigger waits after update on organizations deferrable initially deferred for each row execute function waits();",
    "update organizations set name = 'Anna';",
  ]);
  await migrate({ url, folder });
  expect(await namesIn(url)).toEqual({ names: ["Anna"], forced: true });
});

test("a foreign key that PostgreSQL could not look at through the fence is refused, and one that it could is checked", async () => {
  await using opening = new AsyncDisposableStack();
  const { url, folder } = await givenHistory(opening);
  const key = "alter table organizations add constraint organizations_plan_fk foreign key (id) references plans (id);";
  await writeFile(join(folder, "9000_key.sql"), key);
  const refused: unknown = await migrate({ url, folder }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(MigrationError);
  expect(refused).toMatchObject({ message: expect.stringContaining("organizations_plan_fk") as string });

  const lift = "alter table organizations no force row level security;\n--> statement-breakpoint\n";
  await writeFile(join(folder, "9000_key.sql"), lift + key);
  await expect(migrate({ url, folder })).rejects.toThrow("violates foreign key constraint");
});
