import { ledgerCheckpoints, ledgerEntries, ledgerTransactions } from "@sewa/db/schema";
import { connectAsSuperuser } from "@sewa/db/testing";
import { and, asc, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { giveRefund, listInvoices } from "../billing/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { type CoreContext, createContext } from "../context.ts";
import { listBalances, listTransactions, verifyLedger } from "../ledger/index.ts";
import { reconcileSubscription } from "../subscriptions/index.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { checkBooks, checkLedgers, unpark } from "./index.ts";
import { givenPaidApp, givenTwoCustomers, type PaidApp, payOpenInvoices } from "./test-books.ts";

const keptMonths = 12;

/** The same house, which keeps its books no longer than it has to. */
function forgetful({ ctx }: TestCore): CoreContext {
  const config = { ...ctx.config, ledgerRetentionMonths: keptMonths };
  return createContext({ ...ctx, config }, { actor: ctx.actor });
}

async function liveOn(core: TestCore, app: PaidApp, days: number): Promise<void> {
  for (let left = days; left > 0; left -= 10) {
    core.clock.set(addMs(core.clock.now(), 10 * dayMs));
    await payOpenInvoices(core, app.ctx, app.organizationId);
    await reconcileSubscription(core.ctx, app.subscriptionId);
  }
}

async function rowsOf({ database }: TestCore, organizationId: string) {
  return database.drizzle
    .select()
    .from(ledgerTransactions)
    .where(eq(ledgerTransactions.organizationId, organizationId))
    .orderBy(asc(ledgerTransactions.sequence));
}

const balancesOf = (ctx: CoreContext) => ctx.transaction((tx) => listBalances(tx));
const wrongBooks = async ({ ctx }: TestCore) => (await checkBooks(ctx)).filter(({ check }) => check.kind === "books");

test("old transactions go from the beginning, and the books go on with what was signed of them: balances, checks and all that follows", async () => {
  const { core, it, neighbour } = await givenTwoCustomers();
  await using _ = core;
  const house = forgetful(core);
  await payOpenInvoices(core, it.ctx, it.organizationId);
  for (const days of [200, 200]) for (const app of [it, neighbour]) await liveOn(core, app, days / 2);
  const [before, whole] = [await balancesOf(neighbour.ctx), await rowsOf(core, neighbour.organizationId)];
  const old = addMs(core.clock.now(), -366 * dayMs);
  expect(whole.filter(({ postedAt }) => postedAt < old).length).toBeGreaterThan(0);

  const checked = await checkLedgers(house);
  expect(checked).toMatchObject({ organizations: 2, faults: [], parked: [] });
  const left = await rowsOf(core, neighbour.organizationId);
  expect(left.length).toBeLessThan(whole.length);
  expect(left).toEqual(whole.slice(-left.length));
  expect(left.filter(({ postedAt }) => postedAt < old)).toEqual([]);
  const leftOfIt = await rowsOf(core, it.organizationId);
  expect(leftOfIt.length).toBeGreaterThan(0);
  const entries = await core.database.drizzle.select().from(ledgerEntries);
  const ids = new Set([...left, ...leftOfIt].map(({ id }) => id));
  expect(entries.filter(({ transactionId }) => !ids.has(transactionId))).toEqual([]);
  expect(await balancesOf(neighbour.ctx)).toEqual(before);
  expect(await verifyLedger(house, neighbour.organizationId)).toMatchObject({ transactions: left.length, fault: null });
  expect(await wrongBooks(core)).toEqual([]);
  expect(await checkLedgers(house)).toMatchObject({ removed: 0, faults: [] });
  const { items } = await listTransactions(neighbour.ctx, { limit: 100 });
  expect(items.map(({ transaction }) => transaction.sequence)).toEqual(
    left.map(({ sequence }) => sequence).toReversed(),
  );

  // Money that was paid before goes back, and the next year's is posted and gets old.
  const invoices = (await listInvoices(neighbour.ctx, { limit: 100 })).items;
  const payment = invoices.at(-1)!.payments[0]!;
  await giveRefund(core.ctx.forOrganization(neighbour.organizationId), {
    paymentId: payment.id,
    amountMinor: 10_000n,
    currency: "IDR",
    target: "wallet",
    reason: "It was down.",
    idempotencyKey: "late-refund",
  });
  expect(await wrongBooks(core)).toEqual([]);
  await liveOn(core, neighbour, 60);
  const again = await checkLedgers(house);
  expect(again).toMatchObject({ faults: [], parked: [] });
  expect(again.removed).toBeGreaterThan(0);
  core.clock.set(addMs(core.clock.now(), 500 * dayMs));
  await checkLedgers(house);
  expect(await wrongBooks(core)).toEqual([]);
  const [start] = await core.database.drizzle
    .select()
    .from(ledgerCheckpoints)
    .where(and(eq(ledgerCheckpoints.kind, "start"), eq(ledgerCheckpoints.organizationId, neighbour.organizationId)));
  expect(start).toMatchObject({ opening: expect.any(Object) as object, openingAt: expect.any(Date) as Date });
}, 120_000);

test("what something may still be posted for stays, with all that came after it: an open invoice's opening, and what was taken back late", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const house = forgetful(core);
  const paid = await givenPaidApp(core);
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const order = await givenOrder(ctx, { plan: "small" });
  core.clock.set(addMs(core.clock.now(), 400 * dayMs));

  // Nobody has looked at the order for a year: its invoice is open.
  const opened = await rowsOf(core, organizationId);
  expect(opened.map(({ kind }) => kind)).toEqual(["invoice_opened"]);
  expect(await checkLedgers(house)).toMatchObject({ faults: [], removed: 2 });
  expect(await rowsOf(core, paid.organizationId)).toEqual([]);
  expect(await rowsOf(core, organizationId)).toEqual(opened);
  // Taken back now: the transaction that does so is young, and names the old one.
  await reconcileSubscription(core.ctx, order.subscription.subscription.id);
  expect((await rowsOf(core, organizationId)).map(({ kind }) => kind)).toEqual(["invoice_opened", "invoice_voided"]);
  expect(await checkLedgers(house)).toMatchObject({ faults: [], removed: 0 });
  core.clock.set(addMs(core.clock.now(), 400 * dayMs));
  expect(await checkLedgers(house)).toMatchObject({ faults: [], removed: 2 });
  expect(await verifyLedger(house, organizationId)).toMatchObject({
    transactions: 0,
    head: { sequence: 2 },
    fault: null,
  });
  expect((await balancesOf(ctx)).map(({ kind, balanceMinor }) => [kind, balanceMinor])).toEqual([
    ["receivable", 0n],
    ["revenue", 0n],
  ]);
});

test("looks that come at once, while money is posted, remove each old transaction once", async () => {
  const { core, app, neighbour } = await given();
  await using _ = core;
  const house = forgetful(core);
  core.clock.set(addMs(core.clock.now(), 400 * dayMs));
  const looks = Promise.all(Array.from({ length: 3 }, () => checkLedgers(house)));
  const orders = Promise.all([app, neighbour, app].map(({ ctx }) => givenOrder(ctx, { plan: "small" })));
  const [found] = await Promise.all([looks, orders]);
  expect(found.flatMap(({ faults, parked }) => [...faults, ...parked])).toEqual([]);
  expect(found.reduce((sum, { removed }) => sum + removed, 0)).toBe(4);
  expect(await rowsOf(core, app.organizationId)).toHaveLength(2);
  expect(await rowsOf(core, neighbour.organizationId)).toHaveLength(1);
  expect(await wrongBooks(core)).toEqual([]);
});

test("without a time after which they go, no transaction does", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  await givenPaidApp(core);
  core.clock.set(addMs(core.clock.now(), 4_000 * dayMs));
  expect(await checkLedgers(core.ctx)).toMatchObject({ transactions: 2, removed: 0, faults: [] });
});

/** As somebody would who may write everything and knows the code, but not the key: amounts, balances, digests, chain and head agree. */
async function writeAnew(core: TestCore, organizationId: string): Promise<void> {
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.execute(`set session_replication_role = replica;
    update ledger_entries set amount_minor = amount_minor * 2 where organization_id = '${organizationId}';
    update ledger_accounts set balance_minor = balance_minor * 2 where organization_id = '${organizationId}';
    do $$ declare t record; said text; link text := ''; begin
      for t in select * from ledger_transactions where organization_id = '${organizationId}' order by sequence loop
        select concat_ws('|', t.organization_id, t.sequence, t.id, t.kind, t.source_type, t.source_id, t.idempotency_key,
            coalesce(t.reverses_id::text, ''), to_char(t.posted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
          || string_agg(E'\\n' || concat_ws('|', position, account_id, currency, amount_minor), '' order by position)
          into said from ledger_entries where transaction_id = t.id;
        said := encode(sha256(convert_to(said, 'UTF8')), 'hex');
        link := encode(sha256(convert_to(link || said, 'UTF8')), 'hex');
        update ledger_transactions set digest = said, chain = link where id = t.id;
      end loop;
      update organization_heads set ledger_chain = link where organization_id = '${organizationId}';
    end $$`);
}

async function given(): Promise<{ readonly core: TestCore; readonly app: PaidApp; readonly neighbour: PaidApp }> {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  return { core, app: await givenPaidApp(core), neighbour: await givenPaidApp(core) };
}

test("who writes a whole ledger anew, with its balances and its head, is found out by what was signed; so is a checkpoint of their own", async () => {
  const { core, app } = await given();
  expect(await checkLedgers(core.ctx)).toMatchObject({ organizations: 2, transactions: 4, faults: [] });
  await writeAnew(core, app.organizationId);
  const messageOf = async () => (await verifyLedger(core.ctx, app.organizationId)).fault?.message;
  expect(await messageOf()).toBe("The chain was written anew: up to here another one was signed.");
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.execute(
    `update ledger_checkpoints c set chain = h.ledger_chain from organization_heads h where c.organization_id = h.organization_id`,
  );
  expect(await messageOf()).toBe("It was not signed by us, or was changed since.");
  await expect(core[Symbol.asyncDispose]()).rejects.toThrow(/Broken books/);
});

test("what was removed cannot be made another sum afterwards", async () => {
  const { core, app } = await given();
  core.clock.set(addMs(core.clock.now(), 400 * dayMs));
  await checkLedgers(forgetful(core));
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.execute(`set session_replication_role = replica;
    update ledger_checkpoints set opening = (select jsonb_object_agg(key, (value::numeric * 2)::text) from jsonb_each_text(opening)) where kind = 'start';
    update ledger_accounts set balance_minor = balance_minor * 2`);
  expect((await verifyLedger(core.ctx, app.organizationId)).fault).toMatchObject({
    subject: { type: "checkpoint" },
    message: "It was not signed by us, or was changed since.",
  });
  await expect(core[Symbol.asyncDispose]()).rejects.toThrow(/Broken books/);
});

test("with all of a ledger and its head gone, what was signed says at night that there was something", async () => {
  const { core, app } = await given();
  await checkLedgers(core.ctx);
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.execute(`set session_replication_role = replica;
    delete from ledger_entries where organization_id = '${app.organizationId}';
    delete from ledger_transactions where organization_id = '${app.organizationId}';
    delete from ledger_accounts where organization_id = '${app.organizationId}';
    update organization_heads set ledger_sequence = 0, ledger_chain = '' where organization_id = '${app.organizationId}'`);
  const { faults } = await checkLedgers(core.ctx);
  expect(faults.map(({ message }) => message)).toEqual(["Transaction 2 was signed, the last one is 0."]);
  await expect(core[Symbol.asyncDispose]()).rejects.toThrow(/Broken books/);
});

test("a ledger that was changed unseen parks its organization at night and no neighbour, and nothing of it is signed or removed until it is mended", async () => {
  const { core, app, neighbour } = await given();
  await using _ = core;
  await using owner = connectAsSuperuser(core.url);
  const shift = (days: number) =>
    owner.drizzle.execute(`update ledger_transactions set posted_at = posted_at + interval '${days} days'
      where kind = 'invoice_opened' and organization_id = '${app.organizationId}'`);
  await shift(-1);
  core.clock.set(addMs(core.clock.now(), 400 * dayMs));
  // No query of the checks sees it: the amounts are right.
  expect(await wrongBooks(core)).toEqual([]);
  const checked = await checkLedgers(forgetful(core));
  const fault = { organizationId: app.organizationId, subject: { type: "transaction" } };
  expect(checked).toMatchObject({ faults: [fault], parked: [{ organizationId: app.organizationId, reason: "M39" }] });
  expect(await rowsOf(core, app.organizationId)).toHaveLength(2);
  expect(await rowsOf(core, neighbour.organizationId)).toHaveLength(0);
  const signed = await core.database.drizzle.select().from(ledgerCheckpoints);
  expect(new Set(signed.map(({ organizationId }) => organizationId))).toEqual(new Set([neighbour.organizationId]));
  const ask = () => unpark(core.ctx, { organizationId: app.organizationId, reason: "It looks right." });
  await expect(ask()).rejects.toThrow("The books are still wrong: M39.");
  await shift(1);
  // It holds again, and is kept for whoever looks into it, until they are done.
  expect(await checkLedgers(forgetful(core))).toMatchObject({ faults: [], parked: [], removed: 0 });
  expect(await ask()).toMatchObject({ parkedAt: null });
  expect(await checkLedgers(forgetful(core))).toMatchObject({ faults: [], parked: [] });
});
