import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../embedded/index.ts";
import { withDatabase } from "../testing/postgres.ts";
import { migrate } from "./migrate.ts";

// A server of its own, because roles belong to the whole server and here they have to be missing at first.
let server: EmbeddedPostgres;
let admin: Sql;
let folder: string;
let databases = 0;

beforeAll(async () => {
  server = await startEmbeddedPostgres();
  admin = postgres(server.url, { max: 2, onnotice: () => undefined });
});

afterAll(async () => {
  await admin.end({ timeout: 5 });
  await server.stop();
});

async function emptyDatabase(): Promise<string> {
  const name = `migrate_${(databases += 1)}`;
  await admin.unsafe(`create database ${name}`);
  return withDatabase(server.url, name);
}

async function withFiles(files: Record<string, string>, work: (folder: string) => Promise<void>): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "sewa-migrations-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 5 });
  }
}

test("P9 runners of several databases at once make the roles together, and each file of each database runs once", async () => {
  expect(await admin`select 1 from pg_roles where rolname like 'sewa\\_%'`).toEqual([]);
  await withFiles({ "0000_a.sql": "create table a ();", "0001_b.sql": "create table b ();" }, async (path) => {
    const urls = await Promise.all([emptyDatabase(), emptyDatabase(), emptyDatabase()]);
    const runs = await Promise.all(
      urls.flatMap((url) => [url, url, url]).map(async (url) => ({ url, ...(await migrate({ url, folder: path })) })),
    );
    for (const url of urls) {
      expect(runs.filter((run) => run.url === url).flatMap(({ applied }) => applied)).toEqual(["0000_a", "0001_b"]);
    }
    expect(await migrate({ url: urls[0]!, folder: path })).toEqual({ applied: [] });
  });
  expect(
    await admin`select rolname, rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname like 'sewa\\_%' order by 1`,
  ).toEqual(
    ["sewa_app", "sewa_owner", "sewa_worker"].map((rolname) => ({
      rolname,
      rolcanlogin: false,
      rolsuper: false,
      rolbypassrls: false,
    })),
  );
});

test("tables belong to sewa_owner, graphile-worker's to sewa_worker, and sewa_app owns nothing", async () => {
  const url = await emptyDatabase();
  await migrate({ url });
  const owners = await query(
    url,
    `select n.nspname as schema, array_agg(distinct pg_get_userbyid(c.relowner)::text) as owners from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'graphile_worker') and c.relkind in ('r', 'v', 'S') group by 1 order by 1`,
  );
  expect(owners).toEqual([
    { schema: "graphile_worker", owners: ["sewa_worker"] },
    { schema: "public", owners: ["sewa_owner"] },
  ]);
});

test("an ordinary user with CREATEROLE that owns the database can migrate it and become each role", async () => {
  // A server of its own: here the ordinary user has to be the one who makes the roles.
  await using own = await startEmbeddedPostgres();
  await query(own.url, "create user landlord createrole password 'p'");
  await query(own.url, "create database house owner landlord");
  const url = new URL(withDatabase(own.url, "house"));
  url.username = "landlord";
  url.password = "p";
  expect((await migrate({ url: url.href })).applied.length).toBeGreaterThan(0);
  expect(await migrate({ url: url.href })).toEqual({ applied: [] });
  for (const role of ["sewa_owner", "sewa_app", "sewa_worker"]) {
    const sql = postgres(url.href, { max: 1, connection: { role } });
    expect(await sql`select current_user::text as role`).toEqual([{ role }]);
    await sql.end();
  }
});

test("a user without the rights is told which one is missing", async () => {
  await using own = await startEmbeddedPostgres();
  await query(own.url, "create user guest password 'p'");
  await query(own.url, "create user builder createrole password 'p'");
  await query(own.url, "grant create on database postgres to builder");
  const as = (user: string): string => own.url.replace(/\/\/[^@]+@/, `//${user}:p@`);
  await expect(migrate({ url: as("guest") })).rejects.toThrow("CREATEROLE");
  await expect(migrate({ url: as("builder") })).rejects.toThrow("has to own the database");
});

test("a role that could bypass row-level security is refused", async () => {
  await using own = await startEmbeddedPostgres();
  await query(own.url, "create role sewa_app bypassrls");
  await expect(migrate({ url: own.url })).rejects.toThrow("sewa_app may bypass row-level security");
});

test("P10 a failing file leaves nothing of itself, keeps the earlier ones and names file and line", async () => {
  const url = await emptyDatabase();
  const broken = "create table b ();\n--> statement-breakpoint\ncreate table c (\n  id integer,\n  other nonsense\n);";
  await withFiles({ "0000_a.sql": "create table a ();", "0001_b.sql": broken }, async (path) => {
    await expect(migrate({ url, folder: path })).rejects.toThrow('0001_b.sql:5: type "nonsense" does not exist');
    expect(await query(url, "select to_regclass('a') is not null as a, to_regclass('b') is not null as b")).toEqual([
      { a: true, b: false },
    ]);
    await writeFile(join(path, "0001_b.sql"), broken.replace("nonsense", "text"));
    expect(await migrate({ url, folder: path })).toEqual({ applied: ["0001_b"] });
  });
});

test("a file without a transaction can do what none allows, and other files cannot", async () => {
  const url = await emptyDatabase();
  const index = "create index concurrently a_id on a (id)";
  await withFiles({ "0000_a.sql": "create table a (id integer);", "0001_b.sql": index }, async (path) => {
    await expect(migrate({ url, folder: path })).rejects.toThrow("cannot run inside a transaction block");
    await writeFile(join(path, "0001_b.sql"), `-- sewa:no-transaction\n${index}`);
    expect(await migrate({ url, folder: path })).toEqual({ applied: ["0001_b"] });
    expect(await query(url, "select tableowner::text from pg_tables where tablename = 'a'")).toEqual([
      { tableowner: "sewa_owner" },
    ]);
  });
});

test("P8 a migration that waits for a lock lets those behind it through, and is applied once it gets the lock", async () => {
  const url = await emptyDatabase();
  await withFiles({ "0000_a.sql": "create table a ();" }, async (path) => {
    await migrate({ url, folder: path });
    await writeFile(join(path, "0001_b.sql"), "alter table a add column b integer;");
    const release = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const reader = postgres(url, { max: 1 });
    const long = reader.begin(async (tx) => {
      await tx`select * from a`;
      reading.resolve();
      await release.promise;
    });
    await reading.promise;
    const migrated = migrate({ url, folder: path });
    await vi.waitFor(async () => {
      const waiting = `select 1 from pg_stat_activity where application_name = 'sewa-migrate' and wait_event_type = 'Lock'`;
      expect(await query(url, waiting)).toHaveLength(1);
    }, 10_000);
    // Behind the migration, which is behind the long transaction.
    expect(await query(url, "select * from a")).toEqual([]);
    release.resolve();
    await long;
    expect(await migrated).toEqual({ applied: ["0001_b"] });
    await reader.end();
  });
});

test("P11 a changed, a missing and a late file are refused before anything is applied", async () => {
  const url = await emptyDatabase();
  await withFiles({ "0001_b.sql": "create table b ();" }, async (path) => {
    await migrate({ url, folder: path });
    await writeFile(join(path, "0002_c.sql"), "create table c ();");
    await writeFile(join(path, "0001_b.sql"), "create table b (id integer);");
    await expect(migrate({ url, folder: path })).rejects.toThrow("0001_b was changed");
    await writeFile(join(path, "0001_b.sql"), "create table b ();");
    await writeFile(join(path, "0000_a.sql"), "create table a ();");
    await expect(migrate({ url, folder: path })).rejects.toThrow("0000_a is new and comes before 0001_b");
    await rm(join(path, "0000_a.sql"));
    await rm(join(path, "0001_b.sql"));
    await expect(migrate({ url, folder: path })).rejects.toThrow("its file is missing");
    expect(await query(url, "select to_regclass('c') is null as c")).toEqual([{ c: true }]);
  });
});

test("the command's exit code tells up to date (0), failed (1) and misconfigured (78)", async () => {
  const url = await emptyDatabase();
  expect(await runCommand({ DATABASE_URL: url })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("migration(s) applied") as string,
  });
  expect(await runCommand({ DATABASE_URL: url })).toMatchObject({ code: 0, stdout: "The database is up to date.\n" });
  expect(await runCommand({ DATABASE_URL: withDatabase(server.url, "nowhere") })).toMatchObject({ code: 1 });
  expect(await runCommand({})).toMatchObject({ code: 78, stderr: expect.stringContaining("DATABASE_URL") as string });
  expect(await runCommand({ DATABASE_URL: "mysql://localhost" })).toMatchObject({ code: 78 });
});

function runCommand(env: Record<string, string>): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = fileURLToPath(new URL("../migrate-cli.ts", import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command], { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}
