import {
  billingPeriods,
  capacityHolds,
  invoices,
  notifications,
  operations,
  refunds,
  subscriptions,
} from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { recordNodes } from "../capacity/index.ts";
import { addMs, dayMs, hourMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { failOverdueOperations, getInstance, startInstance, stopInstance } from "../instances/index.ts";
import { listInvoices } from "../billing/index.ts";
import { checkBooks } from "../books/index.ts";
import { listBalances } from "../ledger/index.ts";
import { observations, provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import {
  cancelAtPeriodEnd,
  cancelNow,
  getSubscription,
  previewNextInvoice,
  reconcileSubscription,
  recordPayment,
  remindOrganization,
  renewSubscription,
  sweepSubscriptions,
  undoCancel,
} from "./index.ts";

async function given(plan: "free" | "small" = "free") {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const customer = await givenCustomer(core.ctx);
  const order = await givenOrder(customer.ctx, { plan });
  const subscriptionId = order.subscription.subscription.id;
  const { instanceId } = order.subscription;
  const { drizzle } = core.database;
  return {
    core,
    ctx: customer.ctx,
    subscriptionId,
    instanceId,
    provision: (instead?: Parameters<typeof provisionOnce>[2]) => provisionOnce(core.ctx, instanceId, instead),
    /** Moves the clock and lets time do its work, as the sweep's jobs would. */
    async after(ms: number) {
      core.clock.set(addMs(core.clock.now(), ms));
      await reconcileSubscription(core.ctx, subscriptionId);
      return (await getSubscription(customer.ctx, subscriptionId)).subscription;
    },
    subscription: async () => (await getSubscription(customer.ctx, subscriptionId)).subscription,
    instance: async () => (await getInstance(customer.ctx, instanceId)).instance,
    holds: () => drizzle.$count(capacityHolds),
    mails: async () =>
      (await drizzle.select().from(notifications).orderBy(asc(notifications.id))).map(({ kind }) => kind),
    invoices: async () =>
      (await drizzle.select().from(invoices).orderBy(asc(invoices.id))).map(
        ({ status, reason }) => `${reason} ${status}`,
      ),
    async [Symbol.asyncDispose]() {
      try {
        expect(await checkBooks(core.ctx)).toEqual([]);
      } finally {
        await core[Symbol.asyncDispose]();
      }
    },
  };
}

/** The open invoice is paid by bank. */
async function payOpen({ ctx }: { readonly ctx: CoreContext }): Promise<void> {
  const open = (await listInvoices(ctx, {})).items.find(({ invoice }) => invoice.status === "open");
  const { id: invoiceId, totalMinor: amountMinor, currency } = open!.invoice;
  const transfer = { invoiceId, amountMinor, currency, reference: `BANK-${invoiceId}`, idempotencyKey: invoiceId };
  await recordPayment(ctx.as({ type: "system", name: "cli" }), transfer);
}

describe("a free plan", () => {
  test("expires with its period: stopped, data kept, room given back once the pods are gone, nothing charged", async () => {
    await using app = await given();
    await app.provision();
    expect(await app.mails()).toEqual(["app_ready"]);

    expect((await app.after(23 * dayMs)).status).toBe("active");
    expect(await app.invoices()).toEqual(["order paid", "renewal open"]);
    const expired = await app.after(8 * dayMs);

    expect(expired.status).toBe("expired");
    // Noticed a day late, and counted from when it was due.
    expect(expired.graceEndsAt).toEqual(addMs(expired.currentPeriodEnd!, 30 * dayMs));
    expect(await app.invoices()).toEqual(["order paid", "renewal void"]);
    expect(await app.instance()).toMatchObject({ desiredPhase: "stopped", requestedPhase: "running" });
    expect(await app.holds()).toBe(1);
    await app.provision();
    expect(await app.holds()).toBe(0);
    expect(await app.mails()).toEqual(["app_ready", "app_expired"]);
  });

  test("B85 renewed within grace it opens a new term at that moment, and stopped time is charged to nobody", async () => {
    await using app = await given();
    await app.provision();
    await app.after(31 * dayMs);
    await app.provision();
    await app.after(3 * dayMs);

    const { subscription } = await renewSubscription(app.ctx, {
      subscriptionId: app.subscriptionId,
      idempotencyKey: "renew-01",
    });

    expect(subscription).toMatchObject({ status: "active", termNumber: 2, periodIndex: 0 });
    expect(subscription.billingAnchorAt).toEqual(app.core.clock.now());
    expect(await app.instance()).toMatchObject({ desiredPhase: "running" });
    expect(await app.holds()).toBe(1);
    const periods = await app.core.database.drizzle.select().from(billingPeriods).orderBy(asc(billingPeriods.startsAt));
    expect(periods.map(({ termNumber, periodIndex }) => [termNumber, periodIndex])).toEqual([
      [1, 0],
      [2, 0],
    ]);
    await app.provision();
    expect(await app.instance()).toMatchObject({ observedPhase: "running", isSettled: true });
  });

  test("renewed before its end it goes on without a gap, and only once", async () => {
    await using app = await given();
    await app.provision();
    const first = await app.subscription();
    await app.after(24 * dayMs);

    await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-01" });
    await expect(
      renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-02" }),
    ).rejects.toMatchObject({ code: "ALREADY_RENEWED" });
    const second = await app.after(7 * dayMs);

    expect(second).toMatchObject({ status: "active", termNumber: 1, periodIndex: 1 });
    expect(second.currentPeriodStart).toEqual(first.currentPeriodEnd);
    expect(await app.instance()).toMatchObject({ desiredPhase: "running", generation: 2 });
  });

  test("B85 never renewed it is cancelled when grace ends, removed, and closed once the cluster has confirmed", async () => {
    await using app = await given();
    await app.provision();
    await app.after(31 * dayMs);
    await app.provision();

    const cancelled = await app.after(31 * dayMs);
    expect(cancelled).toMatchObject({
      status: "cancelled",
      cancelReason: "grace_over",
      purgedAt: null,
      nextDueAt: null,
    });
    expect(await app.instance()).toMatchObject({ desiredPhase: "absent" });
    await app.provision();
    const purged = await app.after(0);

    expect(purged.purgedAt).not.toBeNull();
    expect(await app.holds()).toBe(0);
    expect(await app.mails()).toEqual(["app_ready", "app_expired", "app_deleted"]);
    expect(
      (await app.core.database.drizzle.select().from(operations)).every(({ finishedAt }) => finishedAt !== null),
    ).toBe(true);
  });

  test("is reminded of its end and of its deletion once each, however often the reminder runs", async () => {
    await using app = await given();
    await app.provision();
    const remindDaily = async (days: number) => {
      for (let day = 0; day < days; day += 1) {
        await app.after(dayMs);
        await remindOrganization(app.ctx);
        await remindOrganization(app.ctx);
      }
    };
    await remindDaily(70);
    await app.provision();
    expect(await app.mails()).toEqual([
      "app_ready",
      "app_expiring",
      "app_expiring",
      "app_expired",
      "app_deletion_soon",
      "app_deletion_soon",
    ]);
  });
});

test("of an app that runs on unpaid its owner is told when that ends, a week and a day before", async () => {
  await using app = await given("small");
  const { drizzle } = app.core.database;
  await drizzle.update(subscriptions).set({ pastDueDays: 14 }).where(eq(subscriptions.id, app.subscriptionId));
  await payOpen(app);
  await app.provision();
  await app.after(31 * dayMs);
  expect((await app.subscription()).status).toBe("past_due");
  for (let day = 0; day < 13; day += 1) {
    await remindOrganization(app.ctx);
    await app.after(dayMs);
  }
  const expiring = (await drizzle.select().from(notifications).orderBy(asc(notifications.id)))
    .filter(({ kind }) => kind === "app_expiring")
    .map(({ data }) => (data as { expiresAt: string }).expiresAt);
  // Thirty days and fourteen after the payment.
  expect(expiring).toEqual(Array.from({ length: 2 }, () => "2026-04-15T03:00:00.000Z"));
  expect((await app.subscription()).status).toBe("expired");
});

test("the next invoice after one that is paid is that of the period after it, and of what ends with its period only what was used", async () => {
  await using app = await given("small");
  const { ctx, core, subscriptionId } = app;
  const paidAt = core.clock.now();
  await payOpen(app);
  await app.provision();
  const period = (index: number) => ({
    start: addMs(paidAt, 30 * index * dayMs),
    end: addMs(paidAt, 30 * (index + 1) * dayMs),
  });
  expect(await previewNextInvoice(ctx, subscriptionId)).toMatchObject({ period: period(1), totalMinor: 50_000n });
  await app.after(24 * dayMs);
  await payOpen(app);
  const preview = await previewNextInvoice(ctx, subscriptionId);
  expect(preview).toMatchObject({ invoiceId: null, reason: "renewal", period: period(2), totalMinor: 50_000n });
  expect(preview.dueAt).toEqual(period(2).start);
  await app.after(30 * dayMs);
  const [booked] = (await listInvoices(ctx, {})).items;
  expect(booked!.invoice).toMatchObject({ status: "open", periodStart: period(2).start, dueAt: preview.dueAt });
  const input = { subscriptionId, idempotencyKey: "c-000001" };
  await cancelAtPeriodEnd(ctx, input);
  expect(await previewNextInvoice(ctx, subscriptionId)).toMatchObject({ reason: "usage", totalMinor: 0n, lines: [] });
  await undoCancel(ctx, { ...input, idempotencyKey: "c-000002" });
  await app.after(0);
  expect(await previewNextInvoice(ctx, subscriptionId)).toMatchObject({ reason: "renewal", period: period(2) });
});

test("after an outage of weeks there are still days to react before the data goes", async () => {
  await using app = await given();
  await app.provision();
  const expired = await app.after(65 * dayMs);
  expect(expired.status).toBe("expired");
  expect(expired.graceEndsAt).toEqual(addMs(app.core.clock.now(), 7 * dayMs));
});

describe("cancelling", () => {
  test("now: needs the name, deletes at once, and nothing dangles", async () => {
    await using app = await given();
    await app.provision();
    const { subscriptionId } = app;
    await expect(
      cancelNow(app.ctx, { subscriptionId, confirmName: "status page", idempotencyKey: "c-000001" }),
    ).rejects.toMatchObject({
      code: "NAME_MISMATCH",
    });

    const answer = await cancelNow(app.ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "c-000002" });

    expect(answer.subscription).toMatchObject({ status: "cancelled", cancelReason: "customer" });
    await app.provision();
    expect((await app.after(0)).purgedAt).not.toBeNull();
    expect(await app.holds()).toBe(0);
  });

  test("at the period's end: runs until then, is not renewed, and can be undone", async () => {
    await using app = await given();
    await app.provision();
    const { subscriptionId } = app;
    await app.after(24 * dayMs);
    await cancelAtPeriodEnd(app.ctx, { subscriptionId, idempotencyKey: "e-000001" });
    expect(await app.invoices()).toEqual(["order paid", "renewal void"]);
    await undoCancel(app.ctx, { subscriptionId, idempotencyKey: "u-000001" });
    await app.after(0);
    expect(await app.invoices()).toEqual(["order paid", "renewal void", "renewal open"]);
    await cancelAtPeriodEnd(app.ctx, { subscriptionId, idempotencyKey: "e-000002" });
    expect((await app.after(5 * dayMs)).status).toBe("active");
    expect(await app.invoices()).toEqual(["order paid", "renewal void", "renewal void"]);
    expect((await app.after(2 * dayMs)).status).toBe("expired");
  });
});

describe("a plan that costs money", () => {
  test("waits for its money with its room held, and starts with the payment", async () => {
    await using app = await given("small");
    expect(await app.subscription()).toMatchObject({ status: "pending" });
    expect(await app.instance()).toMatchObject({ desiredPhase: "absent" });
    expect(await app.holds()).toBe(1);
    await app.after(2 * hourMs);
    const [invoice] = (await listInvoices(app.ctx, {})).items;

    const operator = app.ctx.as({ type: "operator", userId: app.ctx.ids.next() });
    const payment = {
      invoiceId: invoice!.invoice.id,
      currency: "IDR",
      reference: "BCA 1",
      idempotencyKey: "pay-00001",
    };
    await expect(recordPayment(operator, { ...payment, amountMinor: 1n })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await recordPayment(operator, { ...payment, amountMinor: 50_000n });

    expect(await app.subscription()).toMatchObject({ status: "active", billingAnchorAt: app.core.clock.now() });
    expect(await app.instance()).toMatchObject({ desiredPhase: "running" });
  });

  test("a transfer of another amount is booked where its operator says so: a part waits for the rest, what is more is in the wallet", async () => {
    await using app = await given("small");
    const [invoice] = (await listInvoices(app.ctx, {})).items;
    const operator = app.ctx.as({ type: "operator", userId: app.ctx.ids.next() });
    const pay = (amountMinor: bigint, reference: string, currency = "IDR") => {
      const payment = { invoiceId: invoice!.invoice.id, amountMinor, currency, reference, idempotencyKey: reference };
      return recordPayment(operator, { ...payment, amountMayDiffer: true });
    };
    for (const wrong of [0n, -1n])
      await expect(pay(wrong, "BCA-0000")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(pay(20_000n, "BCA-0000", "USD")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect((await pay(20_000n, "BCA-0001")).invoice).toMatchObject({ status: "open", paidMinor: 20_000n });
    expect(await app.subscription()).toMatchObject({ status: "pending" });
    expect((await pay(45_000n, "BCA-0002")).invoice).toMatchObject({ status: "paid", paidMinor: 50_000n });
    await pay(45_000n, "BCA-0002");
    await expect(pay(5_000n, "BCA-0003")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await app.subscription()).toMatchObject({ status: "active" });
    const balances = await app.ctx.transaction((tx) => listBalances(tx));
    expect(Object.fromEntries(balances.map(({ kind, balanceMinor }) => [kind, balanceMinor]))).toEqual({
      receivable: 0n,
      revenue: 50_000n,
      cash: 65_000n,
      wallet: 15_000n,
    });
    expect(app.core.observed.filter((type) => type === "payment.creditedToWallet")).toHaveLength(1);
  });

  test("unpaid it can be cancelled by its customer, and counts among the apps that one may have", async () => {
    await using app = await given("small");
    for (let more = 1; more < 5; more += 1) await givenOrder(app.ctx, { plan: "small" });
    await expect(givenOrder(app.ctx, { plan: "small" })).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
    const cancel = { subscriptionId: app.subscriptionId, confirmName: "Status page" };
    const first = await cancelNow(app.ctx, { ...cancel, idempotencyKey: "cancel-1" });
    const second = await cancelNow(app.ctx, { ...cancel, idempotencyKey: "cancel-2" });
    expect([first.subscription.status, second.subscription.status]).toEqual(["cancelled", "cancelled"]);
    expect(await app.holds()).toBe(4);
    await givenOrder(app.ctx, { plan: "small" });
  });

  test("what was paid for a period that had not begun is given back when it is cancelled, and a reference is booked once", async () => {
    await using app = await given("small");
    const system = app.ctx.as({ type: "system", name: "cli" });
    const pay = async (reference: string) => {
      const [next] = (await listInvoices(app.ctx, {})).items;
      const money = { currency: "IDR", amountMinor: 50_000n };
      return recordPayment(system, {
        invoiceId: next!.invoice.id,
        ...money,
        reference,
        idempotencyKey: app.ctx.ids.next(),
      });
    };
    await pay("BCA 6");
    await app.provision();
    await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-01" });
    await expect(pay("BCA 6")).rejects.toMatchObject({ code: "CONFLICT" });
    await pay("BCA 7");
    await cancelNow(app.ctx, {
      subscriptionId: app.subscriptionId,
      confirmName: "Status page",
      idempotencyKey: "cancel-1",
    });
    const returned = await app.core.database.drizzle.select().from(refunds);
    expect(returned).toMatchObject([{ amountMinor: 50_000n, reason: "The period had not begun." }]);
  });

  test("unpaid for a day the order is cancelled, its room freed, its invoice void, and nothing was ever made", async () => {
    await using app = await given("small");
    const cancelled = await app.after(24 * hourMs);
    expect(cancelled).toMatchObject({ status: "cancelled", cancelReason: "order_expired" });
    expect(cancelled.purgedAt).not.toBeNull();
    expect(await app.holds()).toBe(0);
    expect(await app.invoices()).toEqual(["order void"]);
    expect(await app.core.database.drizzle.$count(operations)).toBe(0);
    expect(await app.mails()).toEqual([]);
  });

  test("K29 a first provisioning that fails is taken back whole: refunded, cancelled, told, removed", async () => {
    await using app = await given("small");
    const [invoice] = (await listInvoices(app.ctx, {})).items;
    await recordPayment(app.ctx.as({ type: "system", name: "cli" }), {
      invoiceId: invoice!.invoice.id,
      currency: "IDR",
      amountMinor: 50_000n,
      reference: "BCA 2",
      idempotencyKey: "pay-00002",
    });
    await app.provision(observations.crashing);

    app.core.clock.set(addMs(app.core.clock.now(), hourMs));
    expect(await failOverdueOperations(app.core.ctx)).toBe(1);
    const cancelled = await app.after(0);

    expect(cancelled).toMatchObject({ status: "cancelled", cancelReason: "provisioning_failed" });
    expect(await app.core.database.drizzle.select().from(refunds)).toMatchObject([{ amountMinor: 50_000n }]);
    expect(await app.mails()).toContain("app_failed");
    expect(await app.instance()).toMatchObject({ desiredPhase: "absent" });
    await app.provision();
    expect((await app.after(0)).purgedAt).not.toBeNull();
    expect(await app.holds()).toBe(0);
    const states = await app.core.database.drizzle.select().from(operations).orderBy(asc(operations.id));
    expect(states.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      "provision failed",
      "deprovision succeeded",
    ]);
  });

  test("expired, it is asked for again without holding room, and is back when the money has come and there is room", async () => {
    await using app = await given("small");
    const system = app.ctx.as({ type: "system", name: "cli" });
    const pay = async (reference: string) => {
      const [next] = (await listInvoices(app.ctx, {})).items;
      const money = { currency: "IDR", amountMinor: 50_000n };
      return recordPayment(system, {
        invoiceId: next!.invoice.id,
        ...money,
        reference,
        idempotencyKey: app.ctx.ids.next(),
      });
    };
    await pay("BCA 4");
    await app.provision();
    await app.after(31 * dayMs);
    await app.provision();

    const { subscription, nextInvoice } = await renewSubscription(app.ctx, {
      subscriptionId: app.subscriptionId,
      idempotencyKey: "renew-01",
    });
    expect([subscription.status, nextInvoice?.status]).toEqual(["expired", "open"]);
    expect(await app.holds()).toBe(0);

    await recordNodes(app.core.ctx, []);
    await expect(pay("BCA 5")).rejects.toMatchObject({ code: "CAPACITY" });
    expect((await app.invoices()).at(-1)).toBe("reactivation open");
    await givenMachines(app.core.ctx);
    await pay("BCA 5");
    expect(await app.subscription()).toMatchObject({ status: "active", termNumber: 2 });
    expect(await app.holds()).toBe(1);
  });

  test("with days past due it runs on, then is cut there and the invoice given up", async () => {
    await using app = await given("small");
    const { drizzle } = app.core.database;
    await drizzle.update(subscriptions).set({ pastDueDays: 3 }).where(eq(subscriptions.id, app.subscriptionId));
    const [invoice] = (await listInvoices(app.ctx, {})).items;
    await recordPayment(app.ctx.as({ type: "system", name: "cli" }), {
      invoiceId: invoice!.invoice.id,
      currency: "IDR",
      amountMinor: 50_000n,
      reference: "BCA 3",
      idempotencyKey: "pay-00003",
    });
    await app.provision();
    expect((await app.after(30 * dayMs)).status).toBe("past_due");
    expect(await app.instance()).toMatchObject({ desiredPhase: "running" });

    expect((await app.after(3 * dayMs)).status).toBe("expired");

    expect(await app.invoices()).toEqual(["order paid", "renewal uncollectible"]);
    const periods = await drizzle.select().from(billingPeriods).orderBy(asc(billingPeriods.startsAt));
    expect(periods[1]).toMatchObject({ startsAt: periods[0]!.endsAt, endsAt: app.core.clock.now() });
  });
});

test("what the customer asked for outlives expiry and renewal", async () => {
  await using app = await given();
  await app.provision();
  await stopInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "stop-001" });
  await expect(
    startInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "start-01" }),
  ).rejects.toMatchObject({
    code: "OPERATION_IN_PROGRESS",
  });
  await app.provision();
  expect(await app.holds()).toBe(1);
  await app.after(31 * dayMs);
  expect(await app.holds()).toBe(0);

  await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-01" });

  expect(await app.instance()).toMatchObject({ desiredPhase: "stopped", requestedPhase: "stopped" });
  expect(await app.holds()).toBe(1);
});

test("the sweep finds what is due from the tables alone", async () => {
  await using app = await given();
  await app.provision();
  expect(await sweepSubscriptions(app.core.ctx)).toEqual({ due: 0 });
  app.core.clock.set(addMs(app.core.clock.now(), 31 * dayMs));
  expect(await sweepSubscriptions(app.core.ctx)).toEqual({ due: 1 });
  await app.after(0);
  expect(await sweepSubscriptions(app.core.ctx)).toEqual({ due: 0 });
});
