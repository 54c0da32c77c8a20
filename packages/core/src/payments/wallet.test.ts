import { connectDatabase } from "@sewa/db";
import { invoices, notifications, paymentIntents, paymentMethods, subscriptions } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { getInvoice, giveRefund, listInvoices } from "../billing/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { createContext } from "../context.ts";
import { listTransactions } from "../ledger/index.ts";
import { givenOrder } from "../testing/given.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import { adjustWallet } from "../wallet/index.ts";
import {
  getWallet,
  listPaymentMethods,
  listPayments,
  removePaymentMethod,
  setAutomaticPayment,
  setAutoTopUp,
  startPayment,
} from "./index.ts";

const thanks = "For your patience.";

function house(app: PayingCustomer) {
  return app.core.ctx.forOrganization(app.ctx.organizationId!).as({ type: "operator", userId: app.ctx.ids.next() });
}

async function give(app: PayingCustomer, amountMinor: bigint): Promise<void> {
  const key = app.ctx.ids.next();
  await adjustWallet(house(app), { amountMinor, currency: "IDR", reason: thanks, idempotencyKey: key });
}

/** Pays the order on the gateway's page, and keeps the card. */
async function runningWithCard(): Promise<PayingCustomer & { readonly methodId: string }> {
  const app = await givenPayingCustomer();
  await app.payByCard();
  const [method] = (await listPaymentMethods(app.ctx, {})).items;
  return { ...app, methodId: method!.id };
}

async function mailsOf(app: PayingCustomer): Promise<readonly string[]> {
  const rows = await app.core.database.drizzle.select().from(notifications).orderBy(asc(notifications.id));
  return rows.map(({ kind }) => kind).filter((kind) => kind !== "app_ready");
}

async function invoicesOf(app: PayingCustomer): Promise<readonly string[]> {
  const { items } = await listInvoices(app.ctx, {});
  return items.map(({ invoice }) => `${invoice.reason} ${invoice.status}`);
}

test("money that is paid ahead is in the wallet, and pays an order out of it at once", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.topUp(60_000n);
  await app.work();
  app.gateway.pay(id);
  await app.tell(id, 3);
  await app.work();
  expect((await getWallet(app.ctx)).balances).toEqual([{ amountMinor: 60_000n, currency: "IDR" }]);
  const { status, provider } = await app.start({ method: "wallet" });
  expect([status, provider]).toEqual(["succeeded", "wallet"]);
  expect(await app.status()).toBe("active");
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: 60_000n, wallet: 10_000n });
  const { items } = await listTransactions(app.ctx, {});
  expect(items.map(({ transaction, debit, credit }) => `${transaction.kind} ${debit} ${credit}`)).toEqual([
    "wallet_spent wallet receivable",
    "wallet_topped_up cash wallet",
    "invoice_opened receivable revenue",
  ]);
});

test("M3 two apps for the last balance over 64 connections: one is paid, the others are told INSUFFICIENT_FUNDS", async () => {
  await using app = await givenPayingCustomer();
  for (let more = 1; more < 5; more += 1) await givenOrder(app.ctx, { plan: "small" });
  await give(app, 80_000n);
  await using db = connectDatabase({ url: app.core.url, role: "sewa_app", max: 64 });
  const ctx = createContext({ ...app.ctx, db }, { actor: app.ctx.actor, organizationId: app.ctx.organizationId });
  const open = (await listInvoices(ctx, {})).items.map(({ invoice }) => invoice.id);
  const spends = Array.from({ length: 64 }, (_, index) =>
    startPayment(ctx, {
      invoiceId: open[index % open.length]!,
      method: "wallet",
      idempotencyKey: `spend-${String(index).padStart(4, "0")}`,
    }),
  );
  const answers = await Promise.allSettled(spends);
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const codes = answers.flatMap((answer) => {
    return answer.status === "rejected" ? [(answer.reason as { code: string }).code] : [];
  });
  // Those that asked for the invoice that was paid by then are told so.
  expect([...new Set(codes)].filter((code) => code !== "INVALID_TRANSITION")).toEqual(["INSUFFICIENT_FUNDS"]);
  expect(await app.balances()).toMatchObject({ wallet: 30_000n });
  expect(await app.core.database.drizzle.$count(invoices, eq(invoices.status, "paid"))).toBe(1);
});

test("an operator gives and takes with a reason, never more than is there, and once for one key", async () => {
  await using app = await givenPayingCustomer();
  const adjustment = { amountMinor: 10_000n, currency: "IDR", reason: thanks, idempotencyKey: "adjust-01" };
  const first = await adjustWallet(house(app), adjustment);
  expect(await adjustWallet(house(app), adjustment)).toEqual(first);
  expect(first).toMatchObject({ debit: "goodwill", credit: "wallet", amountMinor: 10_000n });
  const taking = { ...adjustment, amountMinor: -10_001n, idempotencyKey: "adjust-02" };
  await expect(adjustWallet(house(app), taking)).rejects.toMatchObject({ code: "INSUFFICIENT_FUNDS" });
  await adjustWallet(house(app), { ...taking, amountMinor: -10_000n });
  await expect(adjustWallet(app.ctx, adjustment)).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await app.balances()).toMatchObject({ wallet: 0n, goodwill: 0n });
  const audit = await app.core.database.drizzle.execute(
    "select reason from audit_entries where action = 'wallet.adjusted'",
  );
  expect(audit).toEqual([{ reason: thanks }, { reason: thanks }]);
});

test("M16 amounts beyond 2^53 stay what they are", async () => {
  await using app = await givenPayingCustomer();
  const amountMinor = 2n ** 53n + 1n;
  await give(app, amountMinor);
  expect((await getWallet(app.ctx)).balances).toEqual([{ amountMinor, currency: "IDR" }]);
  await app.start({ method: "wallet" });
  expect((await getWallet(app.ctx)).balances).toEqual([{ amountMinor: amountMinor - 50_000n, currency: "IDR" }]);
});

test("M15 a part of a payment is given back to where it came from or to the wallet, on credit notes, and never more than was paid", async () => {
  await using app = await runningWithCard();
  const [paid] = (await listInvoices(app.ctx, {})).items;
  const paymentId = paid!.payments[0]!.id;
  const refund = { paymentId, currency: "IDR", reason: "An outage of a day." };
  const give = (amountMinor: bigint, target: "origin" | "wallet", key = app.ctx.ids.next()) =>
    giveRefund(house(app), { ...refund, amountMinor, target, idempotencyKey: key });
  const first = await give(10_000n, "origin", "refund-01");
  expect(await give(10_000n, "origin", "refund-01")).toEqual(first);
  await give(5_000n, "wallet");
  await expect(give(35_001n, "origin")).rejects.toMatchObject({ code: "REFUND" });
  const rest = await Promise.allSettled([give(35_000n, "origin"), give(35_000n, "wallet"), give(35_000n, "wallet")]);
  expect(rest.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
  await app.work();
  const { invoice, creditNotes } = await getInvoice(app.ctx, paid!.invoice.id);
  expect(invoice).toMatchObject({ status: "paid", paidMinor: 50_000n, creditedMinor: 50_000n });
  expect(creditNotes.map(({ series, number }) => `${series} ${number}`)).toEqual([
    "INV-CN-2026 1",
    "INV-CN-2026 2",
    "INV-CN-2026 3",
  ]);
  const balances = await app.balances();
  expect(balances).toMatchObject({ revenue: 0n, refund_due: 0n });
  expect(balances["cash"]).toBe(app.gateway.heldMinor);
  expect(balances["cash"]).toBe(balances["wallet"]);
});

test("a renewal takes what the wallet holds first, and the saved card the rest", async () => {
  await using app = await runningWithCard();
  await setAutomaticPayment(app.ctx, { methodId: app.methodId, isAutomatic: true });
  await give(app, 20_000n);
  await app.after(24 * dayMs);
  expect(await invoicesOf(app)).toEqual(["renewal paid", "order paid"]);
  const { items } = await listPayments(app.ctx, {});
  expect(items.map(({ provider, origin, amountMinor }) => [provider, origin, amountMinor])).toEqual([
    ["sandbox", "automatic", 30_000n],
    ["wallet", "automatic", 20_000n],
    ["sandbox", "customer", 50_000n],
  ]);
  await app.after(7 * dayMs);
  expect(await app.status()).toBe("active");
  expect(await mailsOf(app)).toEqual([]);
});

test("without a card the wallet pays a part, and the customer is asked for the rest; what is given up goes back to the wallet", async () => {
  await using app = await runningWithCard();
  await give(app, 20_000n);
  await app.after(24 * dayMs);
  expect(await app.balances()).toMatchObject({ wallet: 0n, receivable: 30_000n });
  expect(await mailsOf(app)).toEqual(["payment_due"]);
  await app.after(7 * dayMs);
  expect(await invoicesOf(app)).toEqual(["renewal void", "order paid"]);
  expect(await app.balances()).toMatchObject({ wallet: 20_000n, receivable: 0n, revenue: 50_000n });
});

test("of a part that was paid for a period which is cut, what falls on the time in which nothing ran goes back to the wallet", async () => {
  await using app = await givenPayingCustomer({ taxes: [{ name: "PPN", percent: "11", isInclusive: false }] });
  await app.payByCard();
  const { drizzle } = app.core.database;
  await drizzle.update(subscriptions).set({ pastDueDays: 6 }).where(eq(subscriptions.id, app.subscriptionId));
  await give(app, 30_000n);
  await app.after(24 * dayMs);
  expect(await app.balances()).toMatchObject({ wallet: 0n, receivable: 25_500n });
  await app.after(7 * dayMs);
  expect(await app.status()).toBe("past_due");
  await app.after(5 * dayMs);
  expect(await invoicesOf(app)).toEqual(["renewal uncollectible", "order paid"]);
  // Six of thirty days are a fifth of 55,500.
  const { invoice, creditNotes } = (await listInvoices(app.ctx, {})).items[0]!;
  expect([invoice.paidMinor, invoice.creditedMinor]).toEqual([30_000n, 18_900n]);
  expect(creditNotes).toHaveLength(1);
  expect(await app.balances()).toMatchObject({ wallet: 18_900n, receivable: 0n, bad_debt: 25_500n });
});

test("a card that refuses is charged again after 1, 3 and 5 days and then no more; each time the customer is told, and nothing is cancelled", async () => {
  await using app = await runningWithCard();
  await setAutomaticPayment(app.ctx, { methodId: app.methodId, isAutomatic: true });
  app.gateway.faults.declines = true;
  await app.after(23 * dayMs);
  const attempts: number[] = [];
  for (let day = 0; day < 7; day += 1) {
    attempts.push(await app.core.database.drizzle.$count(paymentIntents, eq(paymentIntents.origin, "automatic")));
    await app.after(dayMs - minuteMs);
    await app.after(minuteMs);
  }
  expect(attempts).toEqual([1, 2, 2, 3, 3, 4, 4]);
  expect(await mailsOf(app)).toEqual([...Array.from({ length: 4 }, () => "payment_failed"), "app_expired"]);
  expect(await app.status()).toBe("expired");
});

test("what comes into the wallet pays an open renewal at once, a part too, while its card waits or is not charged any more", async () => {
  await using app = await runningWithCard();
  await setAutomaticPayment(app.ctx, { methodId: app.methodId, isAutomatic: true });
  app.gateway.faults.declines = true;
  await app.after(23 * dayMs);
  await give(app, 20_000n);
  await app.work();
  expect(await app.balances()).toMatchObject({ wallet: 0n, receivable: 30_000n });
  for (let day = 0; day < 5; day += 1) await app.after(dayMs);
  const { id } = await app.topUp(40_000n);
  await app.work();
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  expect(await app.balances()).toMatchObject({ wallet: 10_000n, receivable: 0n });
  await app.after(3 * dayMs);
  expect(await app.status()).toBe("active");
});

test("a card that pays at the second time renews without a gap", async () => {
  await using app = await runningWithCard();
  await setAutomaticPayment(app.ctx, { methodId: app.methodId, isAutomatic: true });
  app.gateway.faults.declines = true;
  await app.after(24 * dayMs);
  app.gateway.faults.declines = false;
  await app.after(dayMs);
  expect(await invoicesOf(app)).toEqual(["renewal paid", "order paid"]);
});

test("a saved card is charged when asked to, its token is sealed, and removed it is gone", async () => {
  await using app = await runningWithCard();
  await app.after(24 * dayMs);
  const [row] = await app.core.database.drizzle.select().from(paymentMethods);
  expect(row).toMatchObject({ label: "Visa 4242" });
  expect(JSON.stringify(row)).not.toContain("card of");
  await app.start({ method: "saved", methodId: app.methodId });
  await app.work();
  expect(await invoicesOf(app)).toEqual(["renewal paid", "order paid"]);
  const removed = await removePaymentMethod(app.ctx, app.methodId);
  expect(removed).toMatchObject({ sealed: null, keyId: null, isAutomatic: false });
  expect(await removePaymentMethod(app.ctx, app.methodId)).toEqual(removed);
  expect((await listPaymentMethods(app.ctx, {})).items).toEqual([]);
  const choosing = setAutomaticPayment(app.ctx, { methodId: app.methodId, isAutomatic: true });
  await expect(choosing).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a wallet below its threshold is filled from the card once, however often somebody looks", async () => {
  await using app = await runningWithCard();
  const { methodId } = app;
  await setAutoTopUp(app.ctx, { thresholdMinor: 30_000n, amountMinor: 100_000n, methodId });
  await app.work();
  await app.after(hourMs);
  expect((await getWallet(app.ctx)).balances).toEqual([{ amountMinor: 100_000n, currency: "IDR" }]);
  await app.after(24 * dayMs);
  await app.after(hourMs);
  // The renewal took 50,000, which is still above the threshold.
  expect(await app.balances()).toMatchObject({ wallet: 50_000n });
  await give(app, -30_000n);
  await app.work();
  expect(await app.balances()).toMatchObject({ wallet: 120_000n });
  expect(app.gateway.heldMinor).toBe(250_000n);
});

test("a card that refuses three times in a row fills no wallet any more, and the customer is told", async () => {
  await using app = await runningWithCard();
  app.gateway.faults.declines = true;
  const { methodId } = app;
  await setAutoTopUp(app.ctx, { thresholdMinor: 30_000n, amountMinor: 100_000n, methodId });
  await app.work();
  for (let day = 0; day < 5; day += 1)
    await app.after(addMs(app.core.clock.now(), dayMs).getTime() - app.core.clock.now().getTime());
  expect((await getWallet(app.ctx)).autoTopUp).toMatchObject({ isEnabled: false, failures: 3 });
  expect(await mailsOf(app)).toEqual(["top_up_failed", "top_up_failed", "top_up_failed"]);
});

test("what nobody could mean is refused", async () => {
  await using app = await givenPayingCustomer();
  for (const amountMinor of [0n, -1n, 2n ** 53n + 1n, 10n ** 21n]) {
    await expect(app.topUp(amountMinor)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  }
  await expect(app.topUp(1_000n, { method: "wallet" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(app.start({ method: "saved" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(app.start({ method: "saved", methodId: app.ctx.ids.next() })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
  await expect(app.start({ method: "wallet" })).rejects.toMatchObject({ code: "INSUFFICIENT_FUNDS" });
  const without = createContext({ ...app.ctx, paymentProviders: [] }, app.ctx);
  const invoiceId = await app.openInvoiceId();
  const start = startPayment(without, { invoiceId, method: "checkout", idempotencyKey: "start-001" });
  await expect(start).rejects.toMatchObject({ code: "PAYMENT_UNAVAILABLE" });
});
