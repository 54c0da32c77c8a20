import { connectDatabase, type Database, databaseErrorOf, type Transaction } from "@sewa/db";
import { connectAsSuperuser } from "@sewa/db/testing";
import { invoices, ledgerTransactions } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkAudit } from "../audit/index.ts";
import { logIn, mintMailLink, resetPassword } from "../accounts/index.ts";
import type { Actor } from "../actor.ts";
import { givenTwoCustomers } from "./test-books.ts";
import { checkLedgers, runBooksCheck } from "./index.ts";
import { planChange } from "../changes/index.ts";
import { type CoreContext, createContext } from "../context.ts";
import { setSpendingLimits } from "../spending/index.ts";
import { givenCoupon, orderWith, planIdOf } from "../testing/given-coupons.ts";
import { serverDatabases } from "../testing/test-core.ts";
import { adjustWallet } from "../wallet/index.ts";

/** What the verbs below leave empty is filled by hand, uuids apart; constraints between tables are not looked at. */
const byHand: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  api_tokens: {
    name: "'x'",
    hash: "repeat('0', 64)",
    hint: "repeat('x', 12)",
    scopes: "'[\"read\"]'",
    allowed_networks: "'[]'",
  },
  auto_top_ups: {
    currency: "'IDR'",
    is_enabled: "true",
    threshold_minor: "1",
    amount_minor: "1",
    next_attempt_at: "now()",
  },
  books_findings: {
    check_id: "'M01'",
    kind: "'clock'",
    row_id: "'x'",
    first_seen_at: "now()",
    last_seen_at: "now()",
  },
  impersonations: {
    reason: "'Looked at it with them.'",
    started_at: "now()",
    ends_at: "now() + interval '5 minutes'",
  },
  instance_holds: { kind: "'operator'", reason: "'Looked at.'", placed_by: "'operator'", placed_at: "now()" },
  instance_probes: { probed_at: "now()", is_answering: "true", generation: "1" },
  inventory_findings: {
    identity: "'x'",
    kind: "'orphan_namespace'",
    severity: "'info'",
    subject_kind: "'Namespace'",
    subject_name: "'x'",
    details: "'{}'",
    first_seen_at: "now()",
    last_seen_at: "now()",
    sighted_at: "now()",
    sightings: "1",
    action: "'none'",
  },
  invitations: { email: "'x@x.test'", role: "'viewer'", status: "'pending'", expires_at: "now()" },
  invitation_tokens: { id: "'x'" },
  invoice_collections: { started_at: "now()" },
  simulated_hours: {
    hour_at: "now()",
    covered_seconds: "0",
    cpu_milli_seconds: "0",
    memory_byte_seconds: "0",
    storage_byte_seconds: "0",
  },
  test_clocks: { now_at: "now()", target_at: "now()" },
  free_places: { email_hash: "md5(random()::text) || md5(random()::text)", taken_at: "now()" },
  trials: { email_hash: "gen_random_uuid()", taken_at: "now()" },
  uptime_days: { day: "now()", up_seconds: "1", down_seconds: "0" },
};

/** Whose a row is, where it does not say so itself. */
const ownedThrough: Readonly<Record<string, string>> = {
  organizations: "id = '{}'",
  users: "id in (select user_id from members where organization_id = '{}')",
  sessions: "user_id in (select user_id from members where organization_id = '{}')",
  account_tokens: "user_id in (select user_id from members where organization_id = '{}')",
  identities: "user_id in (select user_id from members where organization_id = '{}')",
  second_factors: "user_id in (select user_id from members where organization_id = '{}')",
  recovery_codes: "user_id in (select user_id from members where organization_id = '{}')",
  coupon_plans: "coupon_id in (select id from coupons where organization_id = '{}')",
};
const owned = (table: string, organizationId: string): string =>
  (ownedThrough[table] ?? "organization_id = '{}'").replace("{}", organizationId);

let core: Awaited<ReturnType<typeof givenTwoCustomers>>["core"];
/** Whose transaction it is, and who must stay out of its sight. */
let own: CoreContext;
let other: CoreContext;
let superuser: Database;
/** The server's role, with every right that a forgotten grant could give it: the fence alone is tested. */
let app: Database;
let tables: readonly string[];

const rows = async (
  database: Pick<Database["drizzle"], "execute">,
  text: string,
): Promise<readonly Record<string, unknown>[]> => database.execute(sql.raw(text));
const idOf = ({ organizationId }: CoreContext): string => organizationId ?? "";

async function count(database: Pick<Database["drizzle"], "execute">, from: string): Promise<number> {
  return Number((await rows(database, `select count(*) as count from ${from}`))[0]?.["count"]);
}

/** In a transaction of the server's role with these settings, which is undone. */
async function asApp<T>(
  settings: Readonly<Record<string, string>>,
  work: (sql: Transaction) => Promise<T>,
): Promise<T> {
  const undo = new Error("undo");
  let outcome: { readonly value: T } | null = null;
  await app.drizzle
    .transaction(async (transaction) => {
      for (const [name, value] of Object.entries(settings)) await rows(transaction, `set local ${name} = '${value}'`);
      outcome = { value: await work(transaction) };
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return (outcome as { readonly value: T } | null)!.value;
}

const bound = (): Readonly<Record<string, string>> => ({ "app.organization_id": idOf(own) });

/** PostgreSQL's code for what a statement was refused with; `none` when it was not. */
async function refusalOf(text: string): Promise<string> {
  return asApp(bound(), (transaction) => transaction.execute(sql.raw(text))).then(
    () => "none",
    (error: unknown) => {
      const { cause } = error as { readonly cause?: Error };
      return /row-level security/.test(cause?.message ?? "") ? "fence" : (databaseErrorOf(error)?.code ?? "unknown");
    },
  );
}

async function live(ctx: CoreContext): Promise<void> {
  const house = core.ctx.forOrganization(idOf(ctx));
  const code = `MINE${idOf(ctx).slice(-4).toUpperCase()}`;
  await givenCoupon(core.ctx, { code, organizationId: idOf(ctx), planIds: [await planIdOf(ctx, "small")] });
  const { subscription } = await orderWith(ctx, code);
  await setSpendingLimits(ctx, { subscriptionId: subscription.subscription.id, alertAmounts: [5n], capMinor: null });
  await adjustWallet(house, { amountMinor: 5_000n, currency: "IDR", reason: "A gift.", idempotencyKey: "gift" });
  const userId = ctx.actor.type === "user" ? ctx.actor.userId : "";
  const email = `${userId}@customer.test`;
  const newPassword = "correct horse battery";
  const link = new URL(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  await resetPassword(core.ctx, { token: link.searchParams.get("token") ?? "", newPassword });
  await logIn(core.ctx, { email, password: newPassword });
}

beforeAll(async () => {
  const given = await givenTwoCustomers();
  core = given.core;
  own = given.neighbour.ctx;
  other = given.it.ctx;
  superuser = connectAsSuperuser(core.url);
  for (const ctx of [own, other]) await live(ctx);
  await planChange(other, {
    instanceId: given.it.instanceId,
    request: { kind: "resize", planId: await planIdOf(other, "free") },
    idempotencyKey: "change",
  });
  await runBooksCheck(core.ctx, { mode: "whole" });
  await checkAudit(core.ctx);
  await checkLedgers(core.ctx);
  await rows(superuser.drizzle, "set session_replication_role = replica");
  for (const [table, values] of Object.entries(byHand)) {
    const ids = await rows(
      superuser.drizzle,
      `select attname from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 and attnotnull
        and atttypid = 'uuid'::regtype and attname <> 'organization_id'`,
    );
    const columns = ["organization_id", ...ids.map(({ attname }) => String(attname)), ...Object.keys(values)];
    const row = [`'${idOf(other)}'`, ...ids.map(() => "gen_random_uuid()"), ...Object.values(values)];
    await rows(superuser.drizzle, `insert into ${table} (${columns.join(", ")}) values (${row.join(", ")})`);
  }
  for (const [table, values] of [
    ["identities (user_id, id, issuer, subject)", "gen_random_uuid(), 'x', 'x'"],
    ["second_factors (user_id, key_id, sealed)", "'test', 'x'"],
    ["recovery_codes (user_id, hash)", "repeat('0', 64)"],
  ] as const) {
    const from = `from members where organization_id = '${idOf(other)}'`;
    await rows(superuser.drizzle, `insert into ${table} select user_id, ${values} ${from}`);
  }
  await rows(superuser.drizzle, "set session_replication_role = default");
  const fenced = await rows(
    superuser.drizzle,
    "select tablename from pg_policies where policyname = 'tenant' order by 1",
  );
  tables = fenced.map(({ tablename }) => String(tablename));
  await rows(superuser.drizzle, "grant all on all tables in schema public to sewa_app");
  app = connectDatabase({ url: core.url, role: "sewa_app", max: 2 });
}, 120_000);

afterAll(async () => {
  await Promise.all([app?.close(), superuser?.close()]);
  await core?.[Symbol.asyncDispose]();
});

describe("the server's role", () => {
  test("there is a row of somebody else in every fenced table, so that nothing here holds for want of rows", async () => {
    const empty: string[] = [];
    for (const table of tables) {
      if ((await count(superuser.drizzle, `${table} where ${owned(table, idOf(other))}`)) === 0) empty.push(table);
    }
    expect(tables.length).toBeGreaterThan(50);
    expect(empty).toEqual([]);
  });

  test("sees nothing of anybody in a transaction that is bound to nobody, or to nonsense", async () => {
    const nobody: readonly Readonly<Record<string, string>>[] = [
      {},
      { "app.organization_id": "", "app.scope": "" },
      { "app.scope": "operator" },
    ];
    for (const settings of nobody) {
      for (const table of tables) {
        // Coupons for everybody are the house's, and there is none here.
        expect([settings, table, await asApp(settings, (sql) => count(sql, table))]).toEqual([settings, table, 0]);
      }
    }
  });

  test("sees the rows of the organization that its transaction is bound to, and of no other, without asking for them", async () => {
    let seen = 0;
    for (const table of tables) {
      const mine = await count(superuser.drizzle, `${table} where ${owned(table, idOf(own))}`);
      expect([table, await asApp(bound(), (sql) => count(sql, table))]).toEqual([table, mine]);
      seen += mine;
    }
    expect(seen).toBeGreaterThan(50);
  });

  test("neither changes nor deletes what belongs to another organization, whatever rights it has", async () => {
    for (const table of tables) {
      const column = String(
        (
          await rows(
            superuser.drizzle,
            `select attname from pg_attribute where attrelid = '${table}'::regclass and attnum = 1`,
          )
        )[0]?.["attname"],
      );
      for (const statement of [
        `update ${table} set ${column} = ${column} where ${owned(table, idOf(other))} returning 1`,
        `delete from ${table} where ${owned(table, idOf(other))} returning 1`,
        `select 1 from ${table} where ${owned(table, idOf(other))} for update`,
      ]) {
        expect([statement, await asApp(bound(), (sql) => rows(sql, statement))]).toEqual([statement, []]);
      }
    }
  });

  test("writes nothing for another organization, and hands nothing over to it", async () => {
    for (const table of tables) {
      const copy = `stolen_${table}`;
      await rows(
        superuser.drizzle,
        `create table ${copy} as select * from ${table} where ${owned(table, idOf(other))}`,
      );
      await rows(superuser.drizzle, `grant select on ${copy} to sewa_app`);
      // An entry of the audit is refused before the fence is asked: its chain stands in a row that is out of sight.
      const refusal = table === "audit_entries" ? "P0002" : "fence";
      expect([table, await refusalOf(`insert into ${table} select * from ${copy}`)]).toEqual([table, refusal]);
    }
    for (const table of tables.filter((name) => ownedThrough[name] === undefined)) {
      if ((await count(superuser.drizzle, `${table} where organization_id = '${idOf(own)}'`)) === 0) continue;
      const handOver = `update ${table} set organization_id = '${idOf(other)}'`;
      expect([table, await refusalOf(handOver)]).toEqual([
        table,
        // Some of them are frozen before the fence is asked.
        expect.stringMatching(/^(fence|23000)$/),
      ]);
    }
  });

  test("reads everything for the house and changes nothing of a customer's in its name", async () => {
    const house = { "app.scope": "house" };
    for (const table of tables) {
      const all = await count(superuser.drizzle, table);
      expect([table, await asApp(house, (sql) => count(sql, table))]).toEqual([table, all]);
      if (table === "coupons" || table === "coupon_plans") continue;
      expect([table, await asApp(house, (sql) => rows(sql, `delete from ${table} returning 1`))]).toEqual([table, []]);
    }
  });
});

describe("a transaction of core", () => {
  const as = (actor: Actor, organizationId: string | null): CoreContext => {
    const db = serverDatabases.get(core.database);
    return createContext({ ...core.ctx, db: db ?? core.database }, { actor, organizationId });
  };
  const owners = async (ctx: CoreContext): Promise<readonly string[]> => {
    const found = await ctx.transaction((tx) => tx.sql.selectDistinct({ id: invoices.organizationId }).from(invoices));
    return found.map(({ id }) => id).toSorted();
  };
  const operator: Actor = { type: "operator", userId: "00000000-0000-7000-8000-000000000001" };

  test("that forgot whose rows it wants gets those of its customer", async () => {
    expect(await owners(own)).toEqual([idOf(own)]);
    expect(
      await own.picture((sql) =>
        sql.select({ id: invoices.organizationId }).from(invoices).groupBy(invoices.organizationId),
      ),
    ).toEqual([{ id: idOf(own) }]);
  });

  test("of an operator sees all customers when it is bound to none, and otherwise one", async () => {
    expect(await owners(as(operator, null))).toEqual([idOf(own), idOf(other)].toSorted());
    expect(await owners(as(operator, idOf(own)))).toEqual([idOf(own)]);
  });

  test("of anybody else that is bound to nobody sees nobody, also right after one that was", async () => {
    expect(await owners(as({ type: "anonymous" }, null))).toEqual([]);
    await owners(as(operator, null));
    await owners(own);
    expect(await owners(as({ type: "user", userId: operator.userId, role: "owner" }, null))).toEqual([]);
    expect(await as({ type: "anonymous" }, null).db.drizzle.select().from(invoices)).toEqual([]);
  });

  test("is refused an organization that is none", async () => {
    await expect(owners(as(operator, "x'; select 1; --"))).rejects.toThrow("uuid");
  });
});

test("both legs of every move of money are of the organization of the transaction, and of another one no balance moves", async () => {
  const legs = await rows(
    superuser.drizzle,
    `select t.id from ledger_transactions t join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
     group by t.id having count(*) < 2 or bool_or(e.organization_id <> t.organization_id or a.organization_id <> t.organization_id)`,
  );
  expect(legs).toEqual([]);
  expect(await superuser.drizzle.$count(ledgerTransactions)).toBeGreaterThan(5);
  // The worker sees all accounts. What moves their balances for it does not.
  const leg = (amount: string, kind: string): string =>
    `insert into ledger_entries (id, organization_id, transaction_id, position, account_id, currency, amount_minor)
     select gen_random_uuid(), e.organization_id, e.transaction_id, 9, e.account_id, e.currency, ${amount} from ledger_entries e
     join ledger_accounts a on a.id = e.account_id where e.organization_id = '${idOf(other)}' and a.kind = '${kind}' limit 1`;
  for (const organization of ["", idOf(own)]) {
    const refused: unknown = await core.database.drizzle
      .transaction(async (transaction) => {
        await rows(transaction, `set local app.organization_id = '${organization}'`);
        await rows(transaction, leg("5", "receivable"));
      })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      cause: { code: "42501", message: expect.stringContaining("ledger account") as string },
    });
  }
});
