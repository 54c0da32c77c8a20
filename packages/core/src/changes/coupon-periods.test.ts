import { couponRedemptions, invoices } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { setLiveIntent } from "../billing/index.ts";
import { changePlan, previewPlanChange } from "./index.ts";
import { addMs, dayMs } from "../clock.ts";
import { after, givenApp, paidApp, pay, type TestApp } from "./test-changes.ts";
import { applyCoupon, cancelAtPeriodEnd, renewSubscription, undoCancel } from "../subscriptions/index.ts";
import type { NewCoupon } from "../coupons/index.ts";
import { givenCoupon, linesOf } from "../testing/given-coupons.ts";

const apply = (app: TestApp, code = "HALF") =>
  applyCoupon(app.ctx, { subscriptionId: app.subscriptionId, code, idempotencyKey: app.ctx.ids.next() });

/** A paid app whose owner has the coupon from its next invoice on. */
async function discounted(terms: Partial<NewCoupon> = {}, plan = "small"): Promise<TestApp> {
  const app = await paidApp(plan);
  await givenCoupon(app.core.ctx, terms);
  await apply(app);
  return app;
}

const left = async ({ core }: TestApp): Promise<readonly (number | null)[]> =>
  (await core.database.drizzle.select().from(couponRedemptions).orderBy(asc(couponRedemptions.id))).map(
    ({ periodsLeft }) => periodsLeft,
  );

const openInvoice = async ({ core, subscriptionId }: TestApp) =>
  (await core.database.drizzle.select().from(invoices).where(eq(invoices.subscriptionId, subscriptionId))).find(
    ({ status }) => status === "open",
  );

test("a coupon for two periods is on two invoices, and the third asks for the whole price", async () => {
  await using app = await discounted({ periods: 2 });
  for (let period = 0; period < 3; period += 1) {
    await after(app, 24 * dayMs);
    await pay(app);
    await after(app, 6 * dayMs);
  }
  expect(await app.invoices()).toEqual([
    "order paid 50000",
    "renewal paid 25000",
    "renewal paid 25000",
    "renewal paid 50000",
  ]);
  expect(await left(app)).toEqual([0]);
});

test("an open renewal that nobody has begun to pay is asked for anew with the coupon", async () => {
  await using app = await paidApp("small");
  await givenCoupon(app.core.ctx, { periods: 1 });
  await after(app, 24 * dayMs);
  const { coupon, redemption } = await apply(app);
  expect([coupon.code, redemption.periodsLeft]).toEqual(["HALF", 0]);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal void 50000", "renewal open 25000"]);
  expect(await linesOf(app.core.ctx, (await openInvoice(app))!.id)).toEqual(["plan 50000", "discount -25000"]);
});

test("a renewal for which a payment is under way stays as it is, and the coupon begins with the one after it", async () => {
  await using app = await paidApp("small");
  await givenCoupon(app.core.ctx);
  await after(app, 24 * dayMs);
  const { id } = (await openInvoice(app))!;
  await app.ctx.transaction((tx) => setLiveIntent(tx, id, app.ctx.ids.next()));
  await apply(app);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal open 50000"]);
  await app.ctx.transaction((tx) => setLiveIntent(tx, id, null));
  await pay(app);
  await after(app, 30 * dayMs);
  expect((await app.invoices()).at(-1)).toBe("renewal open 25000");
});

test("a voided invoice gives its period back, and the next one has it again", async () => {
  await using app = await discounted({ periods: 1 });
  await after(app, 24 * dayMs);
  expect(await left(app)).toEqual([0]);
  const input = (key: string) => ({ subscriptionId: app.subscriptionId, idempotencyKey: key });
  await cancelAtPeriodEnd(app.ctx, input("cancel-at-end"));
  expect(await left(app)).toEqual([1]);
  await undoCancel(app.ctx, input("undo-cancel"));
  await after(app, dayMs);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal void 25000", "renewal open 25000"]);
  expect(await left(app)).toEqual([0]);
});

test("a subscription has one coupon at a time, and one whose last period may still come back counts", async () => {
  await using app = await discounted({ periods: 1 });
  await givenCoupon(app.core.ctx, { code: "SECOND" });
  await expect(apply(app, "SECOND")).rejects.toMatchObject({ code: "CONFLICT" });
  await after(app, 24 * dayMs);
  await expect(apply(app, "SECOND")).rejects.toMatchObject({ code: "CONFLICT" });
  await pay(app);
  await apply(app, "SECOND");
  await after(app, 30 * dayMs);
  expect((await app.invoices()).at(-1)).toBe("renewal open 25000");
  expect(await left(app)).toEqual([0, null]);
});

test("what a coupon takes off whole goes on by itself, and runs out like any other", async () => {
  await using app = await discounted({ periods: 2, discount: { kind: "percent", basisPoints: 10_000 } });
  for (let period = 0; period < 2; period += 1) {
    await after(app, 24 * dayMs);
    await after(app, 6 * dayMs);
  }
  expect((await app.subscription()).status).toBe("active");
  await after(app, 24 * dayMs);
  expect(await app.invoices()).toEqual(["order paid 50000", "renewal paid 0", "renewal paid 0", "renewal open 50000"]);
});

test("an expired app comes back for nothing with a coupon for all of it, and holds its room again", async () => {
  await using app = await paidApp("small");
  await givenCoupon(app.core.ctx, { discount: { kind: "amount", amountMinor: 60_000n, currency: "IDR" } });
  await after(app, 31 * dayMs);
  await app.provision();
  expect(await app.held()).toBeNull();
  await apply(app);
  await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-01" });
  expect(await app.held()).not.toBeNull();
  expect((await app.subscription()).status).toBe("active");
  expect((await app.invoices()).at(-1)).toBe("reactivation paid 0");
});

test("a dearer plan in the middle of a period that was paid with half off costs half of the difference, and the next period half", async () => {
  await using app = await discounted();
  await after(app, 24 * dayMs);
  await pay(app);
  await after(app, 6 * dayMs);
  const { currentPeriodStart: start } = await app.subscription();
  app.core.clock.set(addMs(start!, 15 * dayMs));
  const choice = {
    subscriptionId: app.subscriptionId,
    planId: (await app.plan("large")).id,
    moment: "now",
  } as const;
  // Half of the period, half of 120 000 - 50 000.
  expect((await previewPlanChange(app.ctx, choice)).dueMinor).toBe(17_500n);
  const plan = await app.resize("large");
  expect(plan.change.dueMinor).toBe(17_500n);
  await app.approve(plan);
  expect((await app.invoices()).at(-1)).toBe("change open 17500");
  await pay(app);
  await after(app, 0);
  await app.look(plan.change.id);
  await app.provision();
  await after(app, 0);
  await after(app, 9 * dayMs);
  expect((await app.invoices()).at(-1)).toBe("renewal open 60000");
});

test("once the coupon has run out, a dearer plan costs the whole difference", async () => {
  await using app = await discounted({ periods: 1 });
  for (let period = 0; period < 2; period += 1) {
    await after(app, 24 * dayMs);
    await pay(app);
    await after(app, 6 * dayMs);
  }
  const plan = await app.resize("large");
  expect(plan.change.dueMinor).toBe(70_000n);
});

test("a coupon of another plan takes nothing off and loses no period, and comes back with its plan", async () => {
  await using app = await paidApp("small");
  await givenCoupon(app.core.ctx, { periods: 1, planIds: [(await app.plan("large")).id] });
  await expect(apply(app)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const choice = {
    subscriptionId: app.subscriptionId,
    planId: (await app.plan("roomy")).id,
    moment: "period_end",
  } as const;
  await givenCoupon(app.core.ctx, { code: "SMALL", periods: 1, planIds: [(await app.plan("small")).id] });
  await apply(app, "SMALL");
  await after(app, 24 * dayMs);
  expect((await app.invoices()).at(-1)).toBe("renewal open 25000");
  const { at, priceKey } = await previewPlanChange(app.ctx, choice);
  await changePlan(app.ctx, { ...choice, at, priceKey, idempotencyKey: "change-01" });
  await after(app, 0);
  expect((await app.invoices()).at(-1)).toBe("renewal open 0");
  expect(await left(app)).toEqual([1]);
});

test("a fixed amount is never more than what it is taken off, before and after a change of plan", async () => {
  await using app = await discounted({ discount: { kind: "amount", amountMinor: 100_000n, currency: "IDR" } });
  await after(app, 24 * dayMs);
  await after(app, 6 * dayMs);
  // Of the 120 000 that the dearer plan costs 20 000 are left; of the 50 000 nothing was.
  expect((await app.resize("large")).change.dueMinor).toBe(20_000n);
});

test("no coupon is redeemed for an order that waits for its money, nor for what has ended", async () => {
  await using app = await givenApp("small");
  await givenCoupon(app.core.ctx);
  await expect(apply(app)).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  await after(app, dayMs);
  await expect(apply(app)).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
});
