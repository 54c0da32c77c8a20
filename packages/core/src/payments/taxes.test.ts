import { creditNotes, creditNoteTaxes } from "@sewa/db/schema";
import { asc } from "drizzle-orm";
import { expect, test } from "vitest";
import { giveRefund, listInvoices, type RefundTarget } from "../billing/index.ts";
import { dayMs, hourMs } from "../clock.ts";
import { listTransactions } from "../ledger/index.ts";
import { createTaxRate, type CreateTaxRateInput } from "../taxes/index.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import { adjustWallet } from "../wallet/index.ts";

const ppn = { name: "PPN", percent: "11", isInclusive: false } as const;
/** Of 50,000 Rupiah 4,955 are tax; 1,239 are added to the 45,045 that are left. */
const both = [
  { ...ppn, isInclusive: true },
  { name: "Levy", percent: "2.75", isInclusive: false },
];

async function running(taxes: readonly CreateTaxRateInput[]): Promise<PayingCustomer> {
  const app = await givenPayingCustomer({ taxes });
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  await app.provision();
  return app;
}

async function refund(app: PayingCustomer, amountMinor: bigint, target: RefundTarget): Promise<void> {
  const { items } = await listInvoices(app.ctx, {});
  const paymentId = items[0]?.payments[0]?.id ?? "";
  const house = app.core.ctx.forOrganization(app.ctx.organizationId!);
  const key = app.ctx.ids.next();
  await giveRefund(house, {
    paymentId,
    amountMinor,
    currency: "IDR",
    target,
    reason: "An outage.",
    idempotencyKey: key,
  });
  await app.work();
}

async function invoicesOf(app: PayingCustomer): Promise<readonly string[]> {
  const { items } = await listInvoices(app.ctx, {});
  return items.map(({ invoice }) => `${invoice.reason} ${invoice.status} ${invoice.totalMinor}`);
}

test("each part that is given back takes its share of the taxes with it, wherever it goes, and all parts together all of them", async () => {
  await using app = await running(both);
  expect(await app.balances()).toMatchObject({ cash: 51_239n, revenue: 45_045n, tax_payable: 6_194n });
  await refund(app, 17_079n, "origin");
  expect(await app.balances()).toMatchObject({ cash: 34_160n, revenue: 30_031n, tax_payable: 4_129n });
  await refund(app, 17_080n, "wallet");
  expect(await app.balances()).toMatchObject({ cash: 34_160n, wallet: 17_080n, revenue: 15_015n, tax_payable: 2_065n });
  app.gateway.faults.refusesRefunds = true;
  await refund(app, 17_080n, "origin");
  expect(await app.balances()).toMatchObject({ wallet: 34_160n, refund_due: 0n, revenue: 0n, tax_payable: 0n });

  const { drizzle } = app.core.database;
  const notes = await drizzle.select().from(creditNotes).orderBy(asc(creditNotes.number));
  expect(notes.map(({ taxMinor }) => taxMinor)).toEqual([2_065n, 2_064n, 2_065n]);
  const shares = await drizzle.select().from(creditNoteTaxes);
  const byRate = Object.values(Object.groupBy(shares, ({ taxRateId }) => taxRateId));
  const sums = byRate.map((own = []) => own.reduce((sum, { amountMinor }) => sum + amountMinor, 0n));
  expect(new Set(sums)).toEqual(new Set([4_955n, 1_239n]));
  // A move is told with the tax in it, as the customer sees the money.
  const { items } = await listTransactions(app.ctx, {});
  expect(items.map(({ debit, credit, amountMinor }) => [debit, credit, amountMinor])).toEqual([
    ["refund_due", "wallet", 17_080n],
    ["revenue", "refund_due", 17_080n],
    ["revenue", "wallet", 17_080n],
    ["refund_due", "cash", 17_079n],
    ["revenue", "refund_due", 17_079n],
    ["cash", "receivable", 51_239n],
    ["receivable", "revenue", 51_239n],
  ]);
});

test("what is voided after the wallet paid a part of it owes no tax, and money that is paid ahead none either", async () => {
  await using app = await running([ppn]);
  const house = app.core.ctx.forOrganization(app.ctx.organizationId!);
  const gift = { amountMinor: 20_000n, currency: "IDR", reason: "For your patience.", idempotencyKey: "gift-001" };
  await adjustWallet(house, gift);
  expect(await app.balances()).toMatchObject({ revenue: 50_000n, tax_payable: 5_500n });
  await app.after(24 * dayMs);
  expect(await app.balances()).toMatchObject({
    wallet: 0n,
    receivable: 35_500n,
    revenue: 100_000n,
    tax_payable: 11_000n,
  });
  await app.after(7 * dayMs);
  expect(await invoicesOf(app)).toEqual(["renewal void 55500", "order paid 55500"]);
  expect(await app.balances()).toMatchObject({
    wallet: 20_000n,
    receivable: 0n,
    revenue: 50_000n,
    tax_payable: 5_500n,
  });
});

test("a late payment brings an app back for its price with taxes; what is too little for that is kept in the wallet", async () => {
  await using app = await running([ppn]);
  const payLate = async (meanwhile: () => Promise<unknown>): Promise<void> => {
    await app.after(24 * dayMs);
    const { id } = await app.start();
    await app.work();
    app.gateway.faults.isDown = true;
    await app.after(7 * dayMs);
    await app.provision();
    expect(await app.status()).toBe("expired");
    await meanwhile();
    app.gateway.pay(id);
    app.gateway.faults.isDown = false;
    await app.after(hourMs);
  };
  await payLate(() => Promise.resolve());
  expect(await app.status()).toBe("active");
  await app.provision();
  expect(await invoicesOf(app)).toEqual(["reactivation paid 55500", "renewal void 55500", "order paid 55500"]);
  // It covers the price without the new tax, but not with it.
  await payLate(() => createTaxRate(app.core.ctx, { ...ppn, name: "Levy", percent: "1" }));
  expect(await app.status()).toBe("expired");
  expect((await invoicesOf(app)).slice(0, 1)).toEqual(["renewal void 55500"]);
  expect(await app.balances()).toMatchObject({ wallet: 55_500n, receivable: 0n, tax_payable: 11_000n });
});
