import { connectDatabase, databaseErrorOf } from "@sewa/db";
import { connectAsSuperuser } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { listInvoices } from "../billing/index.ts";
import { addMs, dayMs, hourMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { failOverdueOperations } from "../instances/index.ts";
import { reconcileSubscription, recordPayment } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { listBalances, verifyLedger } from "./index.ts";
import { chainAfter } from "./transaction.ts";

async function given(plan: "free" | "small" = "small") {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const order = await givenOrder(ctx, { plan });
  const subscriptionId = order.subscription.subscription.id;
  return {
    core,
    ctx,
    organizationId,
    subscriptionId,
    provision: () => provisionOnce(core.ctx, order.subscription.instanceId),
    async pay() {
      const { items } = await listInvoices(ctx, {});
      const open = items.find(({ invoice }) => invoice.status === "open")!.invoice;
      const { totalMinor: amountMinor, currency } = open;
      const reference = `bank ${open.id}`;
      const operator = core.ctx.forOrganization(organizationId);
      await recordPayment(operator, {
        invoiceId: open.id,
        amountMinor,
        currency,
        reference,
        idempotencyKey: reference,
      });
    },
    async after(ms: number) {
      core.clock.set(addMs(core.clock.now(), ms));
      await reconcileSubscription(core.ctx, subscriptionId);
    },
    balances: () => balancesOf(ctx),
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

async function balancesOf(ctx: CoreContext): Promise<Readonly<Record<string, bigint>>> {
  const rows = await ctx.transaction((tx) => listBalances(tx));
  return Object.fromEntries(rows.map(({ kind, balanceMinor }) => [kind, balanceMinor]));
}

test("what is asked for is owed and earned; what comes is no longer owed", async () => {
  await using app = await given();
  expect(await app.balances()).toEqual({ receivable: 50_000n, revenue: 50_000n });
  await app.pay();
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: 50_000n });
  expect(await verifyLedger(app.core.ctx, app.organizationId)).toMatchObject({ transactions: 2, fault: null });
});

test("an order that nobody pays is taken back in full, and a free one moves no money", async () => {
  await using app = await given();
  await app.after(25 * hourMs);
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 0n });
  await using free = await given("free");
  expect(await free.balances()).toEqual({});
  expect(await verifyLedger(free.core.ctx, free.organizationId)).toMatchObject({ transactions: 0, fault: null });
});

test("money for an app that never became ready goes back, and with it what it was earned for", async () => {
  await using app = await given();
  await app.pay();
  await app.core.database.drizzle.execute("update operations set deadline_at = '2026-01-01'");
  await failOverdueOperations(app.core.ctx);
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 0n, cash: 0n });
});

test("what was used and not paid is written off", async () => {
  await using app = await given();
  await app.pay();
  await app.provision();
  await app.core.database.drizzle.execute("update subscriptions set past_due_days = 3");
  for (const days of [25, 5, 3]) await app.after(days * dayMs);
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 100_000n, cash: 50_000n, bad_debt: 50_000n });
});

test("an invoice from before there was a ledger is owed from the moment at which something happens to it", async () => {
  await using app = await given();
  await using owner = connectAsSuperuser(app.core.url);
  await owner.drizzle.execute("truncate ledger_entries, ledger_transactions, ledger_accounts");
  await owner.drizzle.execute("update organization_heads set ledger_sequence = 0, ledger_chain = ''");
  await app.pay();
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: 50_000n });
});

const account = (kind: string) => `(select id from ledger_accounts where kind = '${kind}' limit 1)`;
const someone = "(select organization_id from ledger_transactions limit 1)";
const transaction = (key: string, extra = "null") =>
  `insert into ledger_transactions (id, organization_id, sequence, kind, source_type, source_id, idempotency_key, reverses_id, posted_at, digest, chain)
   select '00000000-0000-7000-8000-000000000001', ${someone}, 900, 'payment_received', 'payment', gen_random_uuid(), '${key}', ${extra}, now(), repeat('a', 64), repeat('b', 64)`;
const leg = (position: number, kind: string, amount: number, currency = "IDR") =>
  `insert into ledger_entries (id, organization_id, transaction_id, position, account_id, currency, amount_minor)
   values (gen_random_uuid(), ${someone}, '00000000-0000-7000-8000-000000000001', ${position}, ${account(kind)}, '${currency}', ${amount})`;
const opened = "(select id from ledger_transactions where kind = 'invoice_opened' limit 1)";

interface Violation {
  readonly code: string;
  /** What the server is told, where it is not even let near. */
  readonly app?: string;
  readonly statements: readonly string[];
}

const violations: Readonly<Record<string, Violation>> = {
  "a transaction without entries": { code: "23000", statements: [transaction("x")] },
  "entries that do not sum to zero": {
    code: "23000",
    statements: [transaction("x"), leg(1, "receivable", 5), leg(2, "revenue", -4)],
  },
  "a single leg": { code: "23000", statements: [transaction("x"), leg(1, "receivable", 5)] },
  "an entry of nothing": { code: "23514", statements: [transaction("x"), leg(1, "receivable", 0)] },
  "a balance below zero": {
    code: "23514",
    statements: [transaction("x"), leg(1, "revenue", 99_000), leg(2, "receivable", -99_000)],
  },
  "a leg in another currency than its account's": {
    code: "23503",
    statements: [transaction("x"), leg(1, "receivable", 5, "USD"), leg(2, "revenue", -5, "USD")],
  },
  "a key that was used": {
    code: "23505",
    statements: [`${transaction("x")}`.replace("'x'", "(select idempotency_key from ledger_transactions limit 1)")],
  },
  "a second half to a transaction that was closed": {
    code: "23000",
    statements: [leg(3, "receivable", 5).replace("'00000000-0000-7000-8000-000000000001'", opened)],
  },
  "a reversal of a part": {
    code: "23000",
    statements: [transaction("x", opened), leg(1, "receivable", -5), leg(2, "revenue", 5)],
  },
  "an entry of another organization's account": {
    code: "23503",
    app: "42501",
    statements: [
      transaction("x"),
      leg(1, "receivable", 5).replace(
        someone,
        "(select id from organizations where id not in (select organization_id from ledger_transactions))",
      ),
      leg(2, "revenue", -5),
    ],
  },
  "a changed entry": { code: "42501", statements: ["update ledger_entries set amount_minor = 1"] },
  "a changed transaction": { code: "42501", statements: ["update ledger_transactions set kind = 'payment_refunded'"] },
  "a changed balance": { code: "42501", statements: ["update ledger_accounts set balance_minor = 0"] },
  "a deleted entry": { code: "42501", statements: ["delete from ledger_entries"] },
  "a deleted transaction": { code: "42501", statements: ["delete from ledger_transactions"] },
};

test("a link of the chain says all that came before it: the same transaction after another one has another link", () => {
  expect(chainAfter("", "digest")).not.toBe(chainAfter(chainAfter("", "other"), "digest"));
  expect(chainAfter(chainAfter("", "one"), "two")).not.toBe(chainAfter(chainAfter("", "two"), "one"));
});

test("the database itself refuses what would make the ledger wrong, from server and worker alike", async () => {
  await using app = await given();
  await givenCustomer(app.core.ctx);
  for (const role of ["sewa_app", "sewa_worker"] as const) {
    await using database = connectDatabase({ url: app.core.url, role, max: 1 });
    for (const [what, { code, app: refusal = code, statements }] of Object.entries(violations)) {
      const attempt = database.drizzle.transaction(async (sql) => {
        await sql.execute(`set local app.organization_id = '${app.organizationId}'`);
        for (const statement of statements) await sql.execute(statement);
      });
      const error: unknown = await attempt.then(
        () => null,
        (refused: unknown) => refused,
      );
      expect([role, what, databaseErrorOf(error)?.code]).toEqual([role, what, role === "sewa_app" ? refusal : code]);
    }
  }
});

const forgeries: Readonly<Record<string, { readonly sql: string; readonly message: RegExp }>> = {
  "an amount": { sql: "update ledger_entries set amount_minor = amount_minor * 2", message: /not what was posted/ },
  "the time": {
    sql: "update ledger_transactions set posted_at = posted_at - interval '1 day'",
    message: /not what was/,
  },
  "a digest with its amount": {
    sql: "update ledger_transactions set digest = repeat('a', 64) where sequence = 1",
    message: /not what was posted/,
  },
  "the chain": { sql: "update ledger_transactions set chain = repeat('a', 64) where sequence = 1", message: /chain/ },
  "the first transaction away": {
    sql: `delete from ledger_entries where transaction_id in (select id from ledger_transactions where sequence = 1);
          delete from ledger_transactions where sequence = 1`,
    message: /Number 1 is missing/,
  },
  "the last transaction away": {
    sql: `delete from ledger_entries where transaction_id in (select id from ledger_transactions where sequence = 2);
          delete from ledger_transactions where sequence = 2`,
    message: /The head names transaction 2/,
  },
  "a balance": { sql: "update ledger_accounts set balance_minor = 7 where kind = 'cash'", message: /balance of cash/ },
};

test("who may write everything cannot change the books unseen: the first wrong row is named", async () => {
  for (const [what, { sql, message }] of Object.entries(forgeries)) {
    const app = await given();
    await app.pay();
    await using owner = connectAsSuperuser(app.core.url);
    await owner.drizzle.execute(`alter table ledger_entries disable trigger user; ${sql}`);
    const { fault } = await verifyLedger(app.core.ctx, app.organizationId);
    expect([what, fault?.message]).toEqual([what, expect.stringMatching(message)]);
    await expect(app[Symbol.asyncDispose]()).rejects.toThrow(/Broken books/);
  }
});
