import { instances, invoices, notifications, subscriptions, usageRecords } from "@sewa/db/schema";
import { asc, eq, isNull, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { listInvoices } from "../billing/index.ts";
import { applyCatalog, listOfferings } from "../catalog/index.ts";
import { addMs, dayMs, hourMs } from "../clock.ts";
import { collectInvoice, startPayment } from "../payments/index.ts";
import {
  cancelAtPeriodEnd,
  cancelNow,
  changeTerms,
  getSubscription,
  loadForUpdate,
  previewNextInvoice,
  reconcileSubscription,
  renewSubscription,
  termsOf,
  undoCancel,
} from "../subscriptions/index.ts";
import { givenMeteredApp, type MeteredApp, meteredFiles } from "../testing/metered.ts";
import { noteUsageTerms, rateUsage } from "../usage/index.ts";
import { adjustWallet, listWalletBalances } from "../wallet/index.ts";

const start = new Date("2026-03-02T03:00:00Z");
const after = (days: number, hours = 0): Date => addMs(start, days * dayMs + hours * hourMs);
const coreHour = 3_600_000n;

/** Time goes on to `moment`, and what is due then is done. */
async function goTo({ core, subscriptionId }: MeteredApp, moment: Date): Promise<void> {
  core.clock.set(moment);
  await rateUsage(core.ctx);
  await reconcileSubscription(core.ctx, subscriptionId);
}

/** The lines for use of the newest invoice that is open, paid or given up. */
async function newestLines({ ctx }: MeteredApp) {
  const [newest] = (await listInvoices(ctx, {})).items.filter(({ invoice }) => invoice.status !== "void");
  return { ...newest!, lines: newest!.lines.filter(({ kind }) => kind === "usage") };
}

async function pay(app: MeteredApp, amountMinor: bigint): Promise<void> {
  const house = app.core.ctx.forOrganization(app.ctx.organizationId!);
  await adjustWallet(house, { amountMinor, currency: "IDR", reason: "A gift.", idempotencyKey: app.ctx.ids.next() });
  const { invoice } = await newestLines(app);
  await collectInvoice(app.core.ctx, invoice.id);
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
}

const balanceOf = async ({ ctx }: MeteredApp): Promise<bigint> =>
  (await ctx.transaction((tx) => listWalletBalances(tx)))[0]?.amountMinor ?? 0n;
const unbilled = ({ core }: MeteredApp): Promise<number> =>
  core.database.drizzle.$count(usageRecords, isNull(usageRecords.invoiceLineId));
const statusOf = async ({ ctx, subscriptionId }: MeteredApp) =>
  (await getSubscription(ctx, subscriptionId)).subscription.status;

test("use rides on the next invoice, which explains itself, and a period's allowance counts once for all its parts", async () => {
  await using app = await givenMeteredApp();
  await app.run(start, 48);
  await goTo(app, after(22));
  const preview = await previewNextInvoice(app.ctx, app.subscriptionId);
  expect(preview).toMatchObject({ invoiceId: null, reason: "renewal", totalMinor: 7_005n });

  await goTo(app, after(23));
  const first = await newestLines(app);
  expect(first.invoice).toMatchObject({ status: "open", reason: "renewal", totalMinor: 7_005n });
  expect(first.lines).toMatchObject([
    {
      description: "Processor, 24 core-hours of 2-4 March",
      quantity: 24n * coreHour,
      includedQuantity: 10n * coreHour,
      unitAmountMinor: 500n,
      perQuantity: coreHour,
      amountMinor: 7_000n,
      meter: "cpu",
      periodStart: start,
      periodEnd: after(2),
    },
    { description: "Running time, 48 hours of 2-4 March", includedQuantity: 0n, amountMinor: 5n },
  ]);
  expect(preview.lines).toMatchObject(
    (await listInvoices(app.ctx, {})).items[0]!.lines.map(({ description, quantity, includedQuantity, amountMinor }) =>
      description.startsWith("Uptime")
        ? { description, quantity, amountMinor }
        : { description, quantity, includedQuantity, amountMinor },
    ),
  );

  await pay(app, 7_005n);
  // The rest of the first period, and the second one.
  await app.run(after(25), 24);
  await app.run(after(31), 24);
  await goTo(app, after(30));
  expect(await statusOf(app)).toBe("active");
  await goTo(app, after(53));
  expect(
    (await newestLines(app)).lines.map((line) => [line.meter, line.quantity, line.includedQuantity, line.amountMinor]),
  ).toEqual([
    ["cpu", 12n * coreHour, 0n, 6_000n],
    ["running", 86_400n, 0n, 2n],
    ["cpu", 12n * coreHour, 10n * coreHour, 1_000n],
    ["running", 86_400n, 0n, 2n],
  ]);
  expect(await unbilled(app)).toBe(0);
});

test("a voided invoice gives its use back, and the next one asks for it with the same allowance", async () => {
  await using app = await givenMeteredApp();
  await app.run(start, 48);
  await goTo(app, after(23));
  const before = await newestLines(app);
  const { ctx, subscriptionId } = app;
  await cancelAtPeriodEnd(ctx, { subscriptionId, idempotencyKey: "cancel-01" });
  expect(await unbilled(app)).toBe(96);
  await undoCancel(ctx, { subscriptionId, idempotencyKey: "undo-0001" });
  await goTo(app, after(24));
  const next = await newestLines(app);
  expect(next.invoice.id).not.toBe(before.invoice.id);
  const facts = ({ lines }: typeof before) =>
    lines.map(({ quantity, includedQuantity, amountMinor }) => [quantity, includedQuantity, amountMinor]);
  expect(facts(next)).toEqual(facts(before));
});

test("an hour that grows gets a further revision, however many rate at once, and a gap is never charged", async () => {
  await using app = await givenMeteredApp();
  const { core } = app;
  await app.run(start, 3);
  // The second hour was not measured at all, and the third one for ten minutes.
  await core.database.drizzle.execute(
    sql`delete from usage_hours where hour_at = ${after(0, 1).toISOString()}::timestamptz`,
  );
  await core.database.drizzle.execute(sql`update usage_hours set covered_seconds = 600, cpu_milli_seconds = 300000
    where hour_at = ${after(0, 2).toISOString()}::timestamptz`);
  core.clock.set(after(0, 4));
  await Promise.all([rateUsage(core.ctx), rateUsage(core.ctx), rateUsage(core.ctx)]);
  await core.database.drizzle
    .execute(sql`update usage_hours set covered_seconds = 1200, cpu_milli_seconds = 600000, is_rated = false
    where hour_at = ${after(0, 2).toISOString()}::timestamptz`);
  await Promise.all([rateUsage(core.ctx), rateUsage(core.ctx), rateUsage(core.ctx)]);
  const records = await core.database.drizzle
    .select()
    .from(usageRecords)
    .where(eq(usageRecords.meter, "cpu"))
    .orderBy(asc(usageRecords.hourAt), asc(usageRecords.revision));
  expect(records.map(({ hourAt, revision, quantity }) => [hourAt, revision, quantity])).toEqual([
    [start, 1, 1_800_000n],
    [after(0, 2), 1, 300_000n],
    [after(0, 2), 2, 300_000n],
  ]);
  const running = await core.database.drizzle.select().from(usageRecords).where(eq(usageRecords.meter, "running"));
  expect(running.reduce((seconds, { quantity }) => seconds + quantity, 0n)).toBe(4_800n);
});

test("hours before a change of the price are charged at the price of then, and what was included is not included twice", async () => {
  await using app = await givenMeteredApp();
  const { core, ctx, subscriptionId } = app;
  await app.run(start, 48);
  const usage = `[{ meter: cpu, amount: "1000", included: "30" }]`;
  await applyCatalog(core.ctx, meteredFiles(usage));
  const priceId = (await listOfferings(ctx, {})).items[0]!.plans[0]!.price!.id;
  core.clock.set(after(1));
  await ctx.transaction(async (tx) => {
    const loaded = await loadForUpdate(tx, subscriptionId);
    await changeTerms(tx, loaded, { ...termsOf(loaded.subscription), priceId }, { isTrial: false });
    await noteUsageTerms(tx, subscriptionId);
  });
  await goTo(app, after(23));
  expect(
    (await newestLines(app)).lines.map((line) => [line.meter, line.quantity, line.includedQuantity, line.amountMinor]),
  ).toEqual([
    ["cpu", 12n * coreHour, 10n * coreHour, 1_000n],
    ["cpu", 12n * coreHour, 20n * coreHour, 0n],
    ["running", 86_400n, 0n, 2n],
  ]);
});

test("what was used before a cancellation is asked for once all of it is known, collected, and paid although the app is gone", async () => {
  await using app = await givenMeteredApp();
  const { core, ctx, subscriptionId } = app;
  await app.run(start, 48);
  core.clock.set(after(1, 5));
  await cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await goTo(app, after(2));
  expect((await listInvoices(ctx, {})).items).toHaveLength(1);
  await goTo(app, after(2, 8));
  const { invoice, lines } = await newestLines(app);
  // 29 whole hours lie before the end: 14.5 core-hours, of which 10 are included.
  expect(invoice).toMatchObject({ status: "open", reason: "usage", totalMinor: 2_253n });
  expect(lines[0]).toMatchObject({ quantity: (29n * coreHour) / 2n, amountMinor: 2_250n });
  await collectInvoice(core.ctx, invoice.id);
  expect((await core.database.drizzle.select().from(notifications)).map(({ kind }) => kind)).toContain("usage_due");
  await expect(
    startPayment(ctx, { invoiceId: invoice.id, method: "wallet", idempotencyKey: "pay-00001" }),
  ).rejects.toMatchObject({ code: "INSUFFICIENT_FUNDS" });
  await pay(app, 3_000n);
  expect((await newestLines(app)).invoice.status).toBe("paid");
  expect(await balanceOf(app)).toBe(747n);
  await goTo(app, after(60));
  expect((await getSubscription(ctx, subscriptionId)).subscription).toMatchObject({
    closingDueAt: null,
    nextDueAt: null,
  });
  expect((await listInvoices(ctx, {})).items).toHaveLength(2);
});

test("what was used in the days past due is asked for, although its app is cancelled in them", async () => {
  await using app = await givenMeteredApp();
  const { core, ctx, subscriptionId } = app;
  const own = eq(subscriptions.id, subscriptionId);
  await core.database.drizzle.update(subscriptions).set({ pastDueDays: 7 }).where(own);
  await app.run(start, 48);
  await goTo(app, after(23));
  await goTo(app, after(30));
  expect(await statusOf(app)).toBe("past_due");
  await app.run(after(31), 40);
  await goTo(app, after(33));
  await cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await goTo(app, after(35));
  const { invoice, lines } = await newestLines(app);
  // Twenty core-hours of which ten are included, and forty hours.
  expect(invoice).toMatchObject({ reason: "usage", totalMinor: 5_004n });
  expect(lines).toMatchObject([{ periodStart: after(31) }, { periodStart: after(31) }]);
  const asked = (await listInvoices(ctx, {})).items.map((each) => `${each.invoice.reason} ${each.invoice.status}`);
  expect(asked).toEqual(["usage open", "renewal uncollectible", "order paid"]);
});

test("what nobody pays is given up after thirty days, and what costs nothing or was never ready is not asked for", async () => {
  await using app = await givenMeteredApp();
  const { ctx, subscriptionId } = app;
  await app.run(start, 48);
  await goTo(app, after(2));
  await cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  await goTo(app, after(4));
  expect((await newestLines(app)).invoice).toMatchObject({ status: "open", reason: "usage", totalMinor: 7_005n });
  await goTo(app, after(35));
  expect((await newestLines(app)).invoice.status).toBe("uncollectible");

  await using idle = await givenMeteredApp({ usage: `[{ meter: cpu, amount: "500", included: "1000" }]` });
  await idle.run(start, 24);
  await using unready = await givenMeteredApp({ provisions: false });
  await unready.run(start, 24);
  for (const one of [idle, unready]) {
    one.core.clock.set(after(2));
    await cancelNow(one.ctx, {
      subscriptionId: one.subscriptionId,
      confirmName: "Status page",
      idempotencyKey: "cancel-01",
    });
    await goTo(one, after(40));
    expect((await one.core.database.drizzle.select().from(invoices)).map(({ reason }) => reason)).toEqual(["order"]);
  }
  expect(await unready.core.database.drizzle.$count(usageRecords)).toBe(0);
});

test("a period that was paid for nothing is given back without what was used", async () => {
  await using app = await givenMeteredApp();
  const { ctx, subscriptionId } = app;
  await app.run(start, 48);
  await goTo(app, after(23));
  await pay(app, 8_000n);
  await cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-01" });
  expect(await balanceOf(app)).toBe(995n);
});

test("nothing of after an expiry is charged, and what was used before has to be paid before the app comes back", async () => {
  await using app = await givenMeteredApp();
  const { core, ctx, subscriptionId } = app;
  await app.run(start, 48);
  await goTo(app, after(23));
  await goTo(app, after(30));
  expect(await statusOf(app)).toBe("expired");
  await app.run(after(29, 22), 24);
  await goTo(app, after(32));
  await renewSubscription(ctx, { subscriptionId, idempotencyKey: "renew-001" });
  const { invoice, lines } = await newestLines(app);
  expect(invoice).toMatchObject({ status: "open", reason: "reactivation", totalMinor: 7_505n });
  expect(lines[0]!.quantity).toBe(25n * coreHour);
  expect(await statusOf(app)).toBe("expired");
  const house = core.ctx.forOrganization(ctx.organizationId!);
  await adjustWallet(house, { amountMinor: 9_000n, currency: "IDR", reason: "A gift.", idempotencyKey: "gift-0001" });
  await startPayment(ctx, { invoiceId: invoice.id, method: "wallet", idempotencyKey: "pay-00001" });
  expect(await statusOf(app)).toBe("active");
  expect((await core.database.drizzle.select().from(instances))[0]!.desiredPhase).toBe("running");
});
