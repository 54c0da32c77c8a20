import { billingPeriods, paymentNotices, payments, refunds } from "@sewa/db/schema";
import { isNull } from "drizzle-orm";
import { expect, test } from "vitest";
import { parkOrganization } from "../accounts/index.ts";
import { giveRefund, listInvoices } from "../billing/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { advanceClock, stepClock } from "../clocks/index.ts";
import {
  cancelPayment,
  getPayment,
  getWallet,
  listPaymentMethods,
  listPayments,
  type PaymentProvider,
  reconcilePayment,
  reconcileRefund,
  setAutomaticPayment,
  setAutoTopUp,
} from "../payments/index.ts";
import { recordPayment, reconcileSubscription, sweepSubscriptions } from "../subscriptions/index.ts";
import { givenPayingCustomer, type PayingCustomer } from "../testing/paying.ts";
import { adjustWallet } from "../wallet/index.ts";
import { checkBooks, unpark } from "./index.ts";
import { givenCardPaidApp } from "./test-books.ts";

const house = ({ core, ctx }: PayingCustomer) => core.ctx.forOrganization(ctx.organizationId ?? "");
const park = (app: PayingCustomer) => house(app).transaction((tx) => parkOrganization(tx, "M10"));
const release = (app: PayingCustomer) =>
  unpark(app.core.ctx, { organizationId: app.ctx.organizationId ?? "", reason: "Looked at." });

/** Days as workers work them, with all that is due. */
async function days(app: PayingCustomer, count: number): Promise<void> {
  for (let day = 0; day < count; day += 1) {
    app.core.clock.set(addMs(app.core.clock.now(), dayMs));
    await sweepSubscriptions(app.core.ctx);
    await app.work();
  }
}

const parked = { code: "ACCOUNT_PARKED" };
const countWaiting = ({ core }: PayingCustomer) =>
  core.database.drizzle.$count(paymentNotices, isNull(paymentNotices.appliedAt));

async function invoicesOf(app: PayingCustomer): Promise<readonly string[]> {
  const { items } = await listInvoices(app.ctx, {});
  return items.map(({ invoice }) => `${invoice.reason} ${invoice.status}`);
}

test("what is paid on the gateway's page while parked is kept, and pays its invoice once when that is over", async () => {
  await using app = await givenPayingCustomer();
  const { drizzle } = app.core.database;
  const { id } = await app.start();
  await app.work();
  await park(app);
  app.gateway.pay(id);
  await app.tell(id, 3);
  await app.work();
  // Prompts come by themselves too, long after the order would have come to nothing.
  await days(app, 3);
  await app.reconcile(id);
  expect(await invoicesOf(app)).toEqual(["order open"]);
  expect(await getPayment(app.ctx, id)).toMatchObject({ status: "pending", receivedMinor: null });
  expect([await drizzle.$count(payments), await countWaiting(app)]).toEqual([0, 1]);

  await release(app);
  await Promise.all([app.reconcile(id), app.reconcile(id)]);
  await app.work();
  await app.tell(id);
  await app.work();
  expect(await app.status()).toBe("active");
  expect(await invoicesOf(app)).toEqual(["order paid"]);
  expect(await drizzle.select().from(payments)).toMatchObject([{ provider: "sandbox", amountMinor: 50_000n }]);
  expect([await drizzle.$count(billingPeriods), await countWaiting(app)]).toEqual([1, 0]);
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: app.gateway.heldMinor });
  expect(await checkBooks(app.core.ctx)).toEqual([]);
});

test("money that came although its payment was called off is found after unparking, however long that took", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  await park(app);
  await cancelPayment(app.ctx, { intentId: id, idempotencyKey: "cancel-01" });
  await app.work();
  // Calling off takes nothing, so it is done.
  expect(app.gateway.state(id)).toBe("cancelled");
  app.gateway.pay(id);
  await days(app, 40);
  expect(await app.core.database.drizzle.$count(payments)).toBe(0);
  await release(app);
  await app.work();
  expect(await app.status()).toBe("active");
  expect(await app.balances()).toEqual({ receivable: 0n, revenue: 50_000n, cash: 50_000n });
});

/** A gateway whose next answer is held back until its customer is parked. */
async function parkedMeanwhile(app: PayingCustomer, look: (providers: readonly PaymentProvider[]) => Promise<unknown>) {
  const answered = Promise.withResolvers<void>();
  const isParked = Promise.withResolvers<void>();
  const holdBack = async <T>(answer: Promise<T>): Promise<T> => {
    await answer;
    answered.resolve();
    await isParked.promise;
    return answer;
  };
  const slow: PaymentProvider = {
    ...app.gateway,
    lookUp: (...call) => holdBack(app.gateway.lookUp(...call)),
    refund: (...call) => holdBack(app.gateway.refund(...call)),
  };
  const looking = look([slow]);
  await answered.promise;
  await park(app);
  isParked.resolve();
  await looking;
}

test("parked between the gateway's answer and the books, what was taken is not asked for again, and booked afterwards", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.start();
  await app.work();
  app.gateway.pay(id);
  await parkedMeanwhile(app, (providers) => reconcilePayment(app.core.ctx, id, { ...app.access, providers }));
  expect(await app.core.database.drizzle.$count(payments)).toBe(0);
  await release(app);
  await app.work();
  expect(await app.status()).toBe("active");
  expect(app.gateway.calls.filter((call) => call === `begin ${id}`)).toHaveLength(1);
});

test("parked between the gateway's answer and the books, what it gave back is not given again, and booked afterwards", async () => {
  await using app = await givenCardPaidApp();
  const [order] = (await listInvoices(app.ctx, {})).items;
  const refund = { paymentId: order!.payments[0]!.id, amountMinor: 5_000n, currency: "IDR", target: "origin" } as const;
  await giveRefund(house(app), { ...refund, reason: "An outage.", idempotencyKey: "refund-01" });
  const [{ id } = { id: "" }] = await app.core.database.drizzle.select().from(refunds);
  await parkedMeanwhile(app, (providers) => reconcileRefund(app.core.ctx, id, { ...app.access, providers }));
  expect(await app.balances()).toMatchObject({ refund_due: 5_000n, cash: 50_000n });
  await release(app);
  await app.work();
  expect(await app.balances()).toMatchObject({ refund_due: 0n, cash: 45_000n });
  expect(app.gateway.heldMinor).toBe(45_000n);
  expect(app.gateway.calls.filter((call) => call === `refund ${id}`)).toHaveLength(1);
});

test("nobody is asked for money while parked: what was begun before waits, and nothing new is begun", async () => {
  await using app = await givenPayingCustomer();
  const forgotten = await app.start();
  await cancelPayment(app.ctx, { intentId: forgotten.id, idempotencyKey: "cancel-01" });
  await app.work();
  const { id } = await app.start();
  await park(app);
  await app.work();
  await app.after(minuteMs);
  expect(await app.reconcile(forgotten.id)).toEqual({ againMs: null });
  expect(app.gateway.calls).toEqual([]);
  for (const method of ["checkout", "wallet"] as const)
    await expect(app.start({ method })).rejects.toMatchObject(parked);
  await expect(app.topUp(1_000n)).rejects.toMatchObject(parked);
  const invoiceId = await app.openInvoiceId();
  const bank = { invoiceId, amountMinor: 50_000n, currency: "IDR", reference: "bank 1", idempotencyKey: "bank-0001" };
  await expect(recordPayment(house(app), bank)).rejects.toMatchObject(parked);
  expect((await listPayments(app.ctx, {})).items).toMatchObject([{ id, status: "created" }, { status: "cancelled" }]);

  await release(app);
  await app.work();
  expect(app.gateway.calls).toEqual([`begin ${id}`]);
  app.gateway.pay(id);
  await app.tell(id);
  await app.work();
  expect(await app.status()).toBe("active");
});

test("a top-up that is paid while parked fills the wallet once, afterwards", async () => {
  await using app = await givenPayingCustomer();
  const { id } = await app.topUp(70_000n);
  await app.work();
  await park(app);
  app.gateway.pay(id);
  await app.tell(id, 2);
  await days(app, 2);
  expect((await getWallet(app.ctx)).balances).toMatchObject([{ amountMinor: 0n }]);
  await release(app);
  await app.work();
  await app.tell(id);
  await app.work();
  expect((await getWallet(app.ctx)).balances).toMatchObject([{ amountMinor: 70_000n }]);
});

test("neither wallet nor card is taken from while parked, and a renewal that is due is collected once afterwards", async () => {
  await using app = await givenCardPaidApp();
  const [card] = (await listPaymentMethods(app.ctx, {})).items;
  const methodId = card!.id;
  await setAutomaticPayment(app.ctx, { methodId, isAutomatic: true });
  await setAutoTopUp(app.ctx, { thresholdMinor: 10_000n, amountMinor: 20_000n, methodId });
  // Opened, and the job that collects it comes late.
  app.core.clock.set(addMs(app.core.clock.now(), 24 * dayMs));
  await reconcileSubscription(app.core.ctx, app.subscriptionId);
  expect(await invoicesOf(app)).toEqual(["renewal open", "order paid"]);
  await park(app);
  await app.work();
  await days(app, 20);
  expect(await app.status()).toBe("active");
  expect((await listPayments(app.ctx, {})).items).toHaveLength(1);
  expect(app.gateway.heldMinor).toBe(50_000n);

  await release(app);
  await app.after(hourMs);
  await app.after(hourMs);
  expect(await invoicesOf(app)).toEqual(["renewal paid", "order paid"]);
  expect(await app.status()).toBe("active");
  const { cash, wallet } = await app.balances();
  expect([cash, (wallet ?? 0n) + 100_000n]).toEqual([app.gateway.heldMinor, cash]);
});

test("a test clock does not wait for the answer of a card that nobody asks while parked", async () => {
  await using app = await givenCardPaidApp({ testClock: true });
  const [card] = (await listPaymentMethods(app.ctx, {})).items;
  await app.topUp(1_000n, { method: "saved", methodId: card!.id });
  await park(app);
  await advanceClock(app.ctx, { to: addMs(app.core.clock.now(), dayMs) });
  expect(await stepClock(app.core.ctx, app.organizationId)).toEqual({ arrived: true });
});

test("an operator can put things right while parked: what is given by hand is booked, what a gateway gives back waits", async () => {
  await using app = await givenCardPaidApp();
  await park(app);
  const operator = house(app).as({ type: "operator", userId: app.ctx.ids.next() });
  const given = { amountMinor: 5_000n, currency: "IDR", reason: "Our mistake." } as const;
  await adjustWallet(operator, { ...given, idempotencyKey: "adjust-01" });
  const [order] = (await listInvoices(app.ctx, {})).items;
  const paymentId = order!.payments[0]!.id;
  await giveRefund(operator, { ...given, paymentId, target: "wallet", idempotencyKey: "refund-01" });
  await giveRefund(operator, { ...given, paymentId, target: "origin", idempotencyKey: "refund-02" });
  // News of what is settled is worked off as ever.
  await app.tell(order!.payments[0]!.reference ?? "");
  await days(app, 2);
  expect(await countWaiting(app)).toBe(0);
  expect(await app.balances()).toMatchObject({ wallet: 10_000n, refund_due: 5_000n, cash: 50_000n });
  expect(app.gateway.heldMinor).toBe(50_000n);
  expect(await checkBooks(app.core.ctx)).toEqual([]);

  await release(app);
  await app.work();
  expect(await app.balances()).toMatchObject({ wallet: 10_000n, refund_due: 0n, cash: 45_000n });
  expect(app.gateway.heldMinor).toBe(45_000n);
});
