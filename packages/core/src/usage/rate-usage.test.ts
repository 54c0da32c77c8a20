import { invoiceLines, invoices, usageRecords } from "@sewa/db/schema";
import { and, asc, eq, ne, sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { draftUsageLines, listOpenInvoices, openInvoice, voidInvoice } from "../billing/index.ts";
import { addMs, hourMs, minuteMs } from "../clock.ts";
import { divideRounded } from "../money.ts";
import { loadForUpdate } from "../subscriptions/index.ts";
import { givenMeteredApp, type MeteredApp } from "../testing/metered.ts";
import { rateUsage, recordUsage } from "./index.ts";

const start = new Date("2026-03-02T03:00:00Z");
const coreHour = 3_600_000n;
const usage = `[{ meter: cpu, amount: "500", included: "0.2" }]`;

/** What happens in an hour: measurements so many minutes ago, in any order and more than once, and then perhaps money. */
const hour = fc.record({
  samples: fc.array(fc.record({ minutesAgo: fc.nat({ max: 1_300 }), cpuMillis: fc.nat({ max: 500 }) }), {
    maxLength: 30,
  }),
  rates: fc.boolean(),
  money: fc.constantFrom("nothing", "bill", "bill", "void"),
});

async function bill({ ctx, subscriptionId }: MeteredApp): Promise<void> {
  await ctx.transaction(async (tx) => {
    const { subscription } = await loadForUpdate(tx, subscriptionId);
    const lines = await draftUsageLines(tx, subscription);
    if (lines.length === 0) return;
    const { termNumber, periodIndex, currency } = subscription;
    const period = { start, end: tx.now };
    await openInvoice(tx, {
      subscriptionId,
      reason: "usage",
      termNumber,
      periodIndex,
      period,
      currency,
      lines,
      dueAt: tx.now,
    });
  });
}

async function voidOne({ ctx, subscriptionId }: MeteredApp): Promise<void> {
  await ctx.transaction(async (tx) => {
    await loadForUpdate(tx, subscriptionId);
    const [invoice] = await listOpenInvoices(tx, subscriptionId);
    if (invoice !== undefined) await voidInvoice(tx, invoice, "A mistake.");
  });
}

test("whatever comes late, twice, out of order or never, and whenever it is billed: what is billed and what is not is what was measured", async () => {
  const runs = 6 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
  await fc.assert(
    fc.asyncProperty(fc.array(hour, { minLength: 3, maxLength: 12 }), async (hours) => {
      await using app = await givenMeteredApp({ usage });
      const { core, instanceId } = app;
      const { drizzle } = core.database;
      for (const { samples, rates, money } of hours) {
        core.clock.set(addMs(core.clock.now(), hourMs));
        const batch = samples.map(({ minutesAgo, cpuMillis }) => ({
          instanceId,
          measuredAt: addMs(core.clock.now(), -minutesAgo * minuteMs),
          workloads: [{ workload: "app", cpuMillis, memoryBytes: 1 }],
          storageBytes: 1,
        }));
        await Promise.all([recordUsage(core.ctx, batch), recordUsage(core.ctx, batch.toReversed())]);
        if (rates) await Promise.all([rateUsage(core.ctx), rateUsage(core.ctx)]);
        if (money === "bill") await bill(app);
        if (money === "void") await voidOne(app);
      }
      core.clock.set(addMs(core.clock.now(), 2 * hourMs));
      await rateUsage(core.ctx);

      const [measured] = await drizzle.execute<{ total: string }>(sql`
        select coalesce(60 * sum(cpu_millis), 0)::text as total from usage_samples where started_at >= ${start.toISOString()}::timestamptz`);
      const records = await drizzle.select().from(usageRecords);
      const sum = (list: readonly { readonly quantity: bigint }[]) =>
        list.reduce((total, one) => total + one.quantity, 0n);
      expect(sum(records)).toBe(BigInt(measured!.total));
      const lines = await drizzle
        .select({
          quantity: invoiceLines.quantity,
          included: invoiceLines.includedQuantity,
          amount: invoiceLines.amountMinor,
        })
        .from(invoiceLines)
        .innerJoin(invoices, eq(invoices.id, invoiceLines.invoiceId))
        .where(and(eq(invoiceLines.kind, "usage"), ne(invoices.status, "void")))
        .orderBy(asc(invoices.number));
      expect(sum(lines)).toBe(sum(records.filter(({ invoiceLineId }) => invoiceLineId !== null)));
      const free = lines.reduce(
        (total, { quantity, included }) => total + (quantity < included ? quantity : included),
        0n,
      );
      const allowance = coreHour / 5n;
      expect(free <= allowance).toBe(true);
      const billed = lines.reduce((total, { amount }) => total + amount, 0n);
      const exact = divideRounded((sum(lines) - free) * 500n, coreHour);
      // Each line rounds once.
      expect(billed - exact <= BigInt(lines.length) && exact - billed <= BigInt(lines.length)).toBe(true);
    }),
    { numRuns: runs },
  );
}, 300_000);

test("a blueprint's own meter counts what it says for the chosen parameters, for the seconds that were seen", async () => {
  await using app = await givenMeteredApp({
    usage: `[{ meter: seats, amount: "10" }]`,
    declares: "usage: { seats: { value: 2.5, label: Seats, unit: seat } }",
  });
  const { core } = app;
  await app.run(start, 2);
  core.clock.set(addMs(start, 3 * hourMs));
  await rateUsage(core.ctx);
  const seats = await core.database.drizzle.select().from(usageRecords).where(eq(usageRecords.meter, "seats"));
  expect(seats.map(({ quantity }) => quantity)).toEqual([9_000_000_000n, 9_000_000_000n]);
});
