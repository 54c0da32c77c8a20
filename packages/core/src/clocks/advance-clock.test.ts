import { notifications, usageRecords } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import { listPaymentMethods, setAutomaticPayment } from "../payments/index.ts";
import { listInvoices } from "../billing/index.ts";
import { getSubscription, renewSubscription, sweepSubscriptions } from "../subscriptions/index.ts";
import { type CoreContext, createContext } from "../context.ts";
import { givenMeteredApp } from "../testing/metered.ts";
import { rateUsage } from "../usage/index.ts";
import { adjustWallet } from "../wallet/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { givenPayingCustomer } from "../testing/paying.ts";
import { testCore } from "../testing/test-core.ts";
import { advanceClock, findTestClock, stepClock } from "./index.ts";

test("time goes from due date to due date and waits for the world, while other organizations stay in the present", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const traveller = await givenCustomer(core.ctx, { testClock: true });
  const neighbour = await givenCustomer(core.ctx);
  const [mine, theirs] = [await givenOrder(traveller.ctx), await givenOrder(neighbour.ctx)];
  const step = () => stepClock(core.ctx, traveller.organizationId);
  const state = async () => (await getSubscription(traveller.ctx, mine.subscription.subscription.id)).subscription;
  const start = (await findTestClock(traveller.ctx))!.now;

  await advanceClock(traveller.ctx, { to: addMs(start, 70 * dayMs) });
  expect(await step()).toEqual({ arrived: false });
  expect((await findTestClock(traveller.ctx))!.now).toEqual(start);

  await provisionOnce(core.ctx, mine.subscription.instanceId);
  expect(await step()).toEqual({ arrived: false });
  expect(await state()).toMatchObject({ status: "expired", expiredAt: addMs(start, 30 * dayMs) });
  await provisionOnce(core.ctx, mine.subscription.instanceId);
  expect(await step()).toEqual({ arrived: false });
  expect(await state()).toMatchObject({ status: "cancelled", cancelledAt: addMs(start, 60 * dayMs) });
  await provisionOnce(core.ctx, mine.subscription.instanceId);
  expect(await step()).toEqual({ arrived: true });

  expect((await findTestClock(traveller.ctx))!.now).toEqual(addMs(start, 70 * dayMs));
  const mails = await core.database.drizzle.select().from(notifications).orderBy(asc(notifications.id));
  expect(mails.map(({ kind }) => kind)).toEqual([
    "app_ready",
    "app_expiring",
    "app_expiring",
    "app_expired",
    "app_deletion_soon",
    "app_deletion_soon",
  ]);
  expect((await getSubscription(neighbour.ctx, theirs.subscription.subscription.id)).subscription.status).toBe(
    "active",
  );
});

test("a run that is killed between two of its transactions takes no reminder and no due date with it", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const told = async (kills: readonly number[]) => {
    const { ctx, organizationId } = await givenCustomer(core.ctx, { testClock: true });
    const { subscription } = await givenOrder(ctx);
    await provisionOnce(core.ctx, subscription.instanceId);
    const start = (await findTestClock(ctx))!.now;
    await advanceClock(ctx, { to: addMs(start, 62 * dayMs) });
    for (const kill of kills) {
      await stepClock(killedAfter(core.ctx, kill), organizationId).catch((error: Error) => {
        if (error.message !== "killed") throw error;
      });
    }
    for (let arrived = false; !arrived;) {
      ({ arrived } = await stepClock(core.ctx, organizationId));
      await provisionOnce(core.ctx, subscription.instanceId);
    }
    const mails = await core.database.drizzle
      .select()
      .from(notifications)
      .where(eq(notifications.organizationId, organizationId))
      .orderBy(asc(notifications.id));
    return mails.map(({ kind }) => kind);
  };
  const undisturbed = await told([]);
  for (const transactions of [4, 5, 6]) {
    const kills = Array.from({ length: 70 }, () => transactions);
    expect({ transactions, told: await told(kills) }).toEqual({ transactions, told: undisturbed });
  }
});

test("a term that is paid on a test clock begins on that clock", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx, organizationId } = await givenCustomer(core.ctx, { testClock: true });
  const { subscription } = await givenOrder(ctx);
  const { id: subscriptionId } = subscription.subscription;
  await provisionOnce(core.ctx, subscription.instanceId);
  const later = addMs((await findTestClock(ctx))!.now, 40 * dayMs);
  await advanceClock(ctx, { to: later });
  await stepClock(core.ctx, organizationId);
  await provisionOnce(core.ctx, subscription.instanceId);
  await stepClock(core.ctx, organizationId);
  await renewSubscription(ctx, { subscriptionId, idempotencyKey: "renew-001" });
  expect((await getSubscription(ctx, subscriptionId)).subscription).toMatchObject({
    status: "active",
    billingAnchorAt: later,
    currentPeriodStart: later,
    currentPeriodEnd: addMs(later, 30 * dayMs),
  });
  await provisionOnce(core.ctx, subscription.instanceId);
});

test("renewals are charged to the saved card on the way, and time waits for its answer", async () => {
  await using app = await givenPayingCustomer({ testClock: true });
  await app.payByCard();
  const [card] = (await listPaymentMethods(app.ctx, {})).items;
  await setAutomaticPayment(app.ctx, { methodId: card!.id, isAutomatic: true });
  const start = (await findTestClock(app.ctx))!.now;
  await advanceClock(app.ctx, { to: addMs(start, 70 * dayMs) });
  const step = () => stepClock(app.core.ctx, app.ctx.organizationId!);
  const now = async () => (await findTestClock(app.ctx))!.now;

  // Due a week before the end of the period: begun, and not answered yet.
  expect(await step()).toEqual({ arrived: false });
  expect(await now()).toEqual(addMs(start, 23 * dayMs));
  app.gateway.faults.declines = true;
  await app.work();
  expect(await step()).toEqual({ arrived: false });
  expect(await now()).toEqual(addMs(start, 24 * dayMs));
  app.gateway.faults.declines = false;
  await app.work();
  expect(await step()).toEqual({ arrived: false });
  await app.work();
  expect(await step()).toEqual({ arrived: true });
  const { subscription } = await getSubscription(app.ctx, app.subscriptionId);
  expect(subscription).toMatchObject({ status: "active", termNumber: 1, periodIndex: 2 });
  expect(app.gateway.heldMinor).toBe(150_000n);
});

test("the hours that pass on the way are made of what the cluster measures, and charged", async () => {
  await using app = await givenMeteredApp({ testClock: true });
  const { core, ctx, instanceId, subscriptionId } = app;
  const organizationId = ctx.organizationId!;
  const gift = { amountMinor: 1_000_000n, currency: "IDR", reason: "A gift.", idempotencyKey: "gift-0001" };
  await adjustWallet(core.ctx.forOrganization(organizationId), gift);
  const start = (await findTestClock(ctx))!.now;
  const measuredAt = core.clock.now();
  const workloads = [{ workload: "app", cpuMillis: 250, memoryBytes: 1_000 }];
  const measure = async () => [{ instanceId, measuredAt, workloads, storageBytes: 1_000 }];
  await advanceClock(ctx, { to: addMs(start, 61 * dayMs) });
  while (!(await stepClock(core.ctx, organizationId, { measure })).arrived);

  expect((await getSubscription(ctx, subscriptionId)).subscription).toMatchObject({ status: "active", periodIndex: 2 });
  const lines = (await listInvoices(ctx, {})).items
    .toReversed()
    .map((view) => view.lines.filter(({ meter }) => meter === "cpu"))
    .map((list) => list.map(({ quantity, includedQuantity }) => [quantity / 900_000n, includedQuantity / 3_600_000n]));
  // In hours of a quarter of a core: 23 days, then the 7 that were left, of which nothing is included, and 23 more.
  expect(lines).toEqual([
    [],
    [[23n * 24n, 10n]],
    [
      [7n * 24n, 0n],
      [23n * 24n, 10n],
    ],
  ]);
  // What the machine did in real time is not charged beside it.
  expect(await rateUsage(core.ctx)).toBe(0);
});

test("time waits until the cluster has measured a new app, so that none of its hours is missing, and two minutes at most", async () => {
  await using app = await givenMeteredApp({ testClock: true });
  const { core, ctx, instanceId } = app;
  const organizationId = ctx.organizationId!;
  const start = (await findTestClock(ctx))!.now;
  const now = async () => (await findTestClock(ctx))!.now;
  let workloads: readonly { workload: string; cpuMillis: number; memoryBytes: number }[] = [];
  const measure = async () => [{ instanceId, measuredAt: core.clock.now(), workloads, storageBytes: 1_000 }];
  const step = () => stepClock(core.ctx, organizationId, { measure });
  const hours = () => core.database.drizzle.$count(usageRecords, eq(usageRecords.meter, "cpu"));

  await advanceClock(ctx, { to: addMs(start, 2 * dayMs) });
  expect(await step()).toEqual({ arrived: false });
  expect(await now()).toEqual(start);
  workloads = [{ workload: "app", cpuMillis: 250, memoryBytes: 1_000 }];
  expect(await step()).toEqual({ arrived: true });
  expect(await hours()).toBe(48);

  // A cluster that never measures it stops no clock for good: what it does not say is a gap.
  workloads = [];
  await advanceClock(ctx, { to: addMs(start, 3 * dayMs) });
  expect(await step()).toEqual({ arrived: false });
  core.clock.set(addMs(core.clock.now(), 3 * minuteMs));
  expect(await step()).toEqual({ arrived: true });
  expect(await hours()).toBe(48);
});

test("the production sweep leaves organizations on a test clock alone", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx, { testClock: true });
  await givenOrder(ctx);
  core.clock.set(addMs(core.clock.now(), 100 * dayMs));
  expect(await sweepSubscriptions(core.ctx)).toEqual({ due: 0 });
});

test("a clock goes forward only, not too far, and only where there is one", async () => {
  await using core = await testCore();
  const { ctx } = await givenCustomer(core.ctx, { testClock: true });
  const present = await givenCustomer(core.ctx);
  const now = core.clock.now();
  await expect(advanceClock(ctx, { to: addMs(now, -dayMs) })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(advanceClock(ctx, { to: addMs(now, 900 * dayMs) })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(advanceClock(present.ctx, { to: now })).rejects.toMatchObject({ code: "TEST_CLOCK_REQUIRED" });
});

/** A process that dies after so many transactions: the next one never begins. */
function killedAfter(ctx: CoreContext, transactions: number): CoreContext {
  let left = transactions;
  const drizzle = new Proxy(ctx.db.drizzle, {
    get(target, name) {
      if (name !== "transaction") return Reflect.get(target, name) as unknown;
      return (work: Parameters<typeof target.transaction>[0]) => {
        if (left === 0) throw new Error("killed");
        left -= 1;
        return target.transaction(work);
      };
    },
  });
  return createContext({ ...ctx, db: { ...ctx.db, drizzle } }, { actor: ctx.actor });
}
