import { coupons, couponRedemptions, invoices, operatorAuditEntries } from "@sewa/db/schema";
import { asc } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { addMs, dayMs, hourMs } from "../clock.ts";
import { cancelNow, reconcileSubscription } from "../subscriptions/index.ts";
import { givenCatalog, givenCustomer, givenMachines } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { deactivateCoupon, deleteCoupon, listCoupons, listRedemptions } from "./index.ts";
import { givenCoupon, linesOf, orderWith, planIdOf, quoteWith, refusalOf } from "../testing/given-coupons.ts";

async function house(): Promise<TestCore> {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  return core;
}

const notValid = { code: "NOT_FOUND", message: "Coupon not valid." };
const redeemed = async (core: TestCore): Promise<readonly number[]> =>
  (await core.database.drizzle.select().from(coupons).orderBy(asc(coupons.id))).map(({ redeemed: count }) => count);

test("a quote says what the first period costs with the coupon and what later ones cost, and the invoice is what it said", async () => {
  await using core = await house();
  await givenCoupon(core.ctx, { periods: 2 });
  const { ctx } = await givenCustomer(core.ctx);
  const quote = await quoteWith(ctx, "half");
  expect([quote.total.amountMinor, quote.laterTotal.amountMinor]).toEqual([25_000n, 50_000n]);
  const { order, subscription } = await orderWith(ctx, "HaLf");
  expect(order.totalMinor).toBe(25_000n);
  expect(subscription.nextInvoice).toMatchObject({ status: "open", totalMinor: 25_000n });
  expect(await linesOf(core.ctx, subscription.nextInvoice!.id)).toEqual(["plan 50000", "discount -25000"]);
  expect((await listRedemptions(ctx, {})).items).toMatchObject([
    { redemption: { periodsLeft: 1 }, coupon: { code: "HALF", redeemed: 1 } },
  ]);
});

test("with a coupon without an end later periods cost as much as the first", async () => {
  await using core = await house();
  await givenCoupon(core.ctx, { discount: { kind: "amount", amountMinor: 80_000n, currency: "IDR" } });
  const { ctx } = await givenCustomer(core.ctx);
  const quote = await quoteWith(ctx, "HALF");
  expect([quote.total.amountMinor, quote.laterTotal.amountMinor]).toEqual([0n, 0n]);
  const { status, subscription } = await orderWith(ctx, "HALF");
  expect(status).toBe("completed");
  expect(subscription.subscription).toMatchObject({ status: "active", amountMinor: 50_000n });
});

test("B93 whatever is wrong with a code, the answer is the same, and nothing is left behind", async () => {
  await using core = await house();
  const now = core.clock.now();
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  const other = await givenCustomer(core.ctx);
  const planId = await planIdOf(ctx, "free");
  await givenCoupon(core.ctx, { code: "EXPIRED", startsAt: addMs(now, -dayMs), endsAt: now });
  await givenCoupon(core.ctx, { code: "NOT-YET", startsAt: addMs(now, 1) });
  await givenCoupon(core.ctx, { code: "NOT-MINE", organizationId: other.organizationId });
  await givenCoupon(core.ctx, { code: "OTHER_PLAN", planIds: [planId] });
  await givenCoupon(core.ctx, { code: "DOLLARS", discount: { kind: "amount", amountMinor: 1n, currency: "USD" } });
  const { coupon } = await givenCoupon(core.ctx, { code: "SWITCHED-OFF" });
  await deactivateCoupon(core.ctx, coupon.id);
  await givenCoupon(core.ctx, { code: "USED-UP", maxRedemptions: 1 });
  await orderWith(other.ctx, "USED-UP");
  await givenCoupon(core.ctx, { code: "MINE", organizationId });
  await orderWith(ctx, "MINE");
  const codes = [
    "EXPIRED",
    "NOT-YET",
    "NOT-MINE",
    "OTHER_PLAN",
    "DOLLARS",
    "SWITCHED-OFF",
    "USED-UP",
    "MINE",
    "%' or 1",
  ];
  for (const code of codes) await expect(quoteWith(ctx, code)).rejects.toMatchObject(notValid);
  await expect(quoteWith(other.ctx, "NO-SUCH")).rejects.toMatchObject(notValid);
  expect(await core.database.drizzle.$count(invoices)).toBe(2);
});

test("B93 after ten wrong codes in an hour the organization is told to wait, also with a right one, and others are not", async () => {
  await using core = await house();
  await givenCoupon(core.ctx);
  const [mine, others] = [await givenCustomer(core.ctx), await givenCustomer(core.ctx)];
  // Right ones do not count, whatever else becomes of the order.
  for (let round = 0; round < 12; round += 1) await quoteWith(mine.ctx, "half");
  const guesses = await Promise.allSettled(
    Array.from({ length: 30 }, (_, index) => quoteWith(mine.ctx, `GUESS-${index}`)),
  );
  const codes = guesses.map(refusalOf);
  expect(codes.filter((code) => code === "NOT_FOUND")).toHaveLength(10);
  expect(codes.filter((code) => code === "RATE_LIMITED")).toHaveLength(20);
  await expect(quoteWith(mine.ctx, "half")).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterSeconds: 3_600 });
  expect((await quoteWith(others.ctx, "half")).total.amountMinor).toBe(25_000n);
  for (let guess = 1; guess <= 10; guess += 1)
    await expect(quoteWith(others.ctx, `GUESS-${guess}`)).rejects.toMatchObject(notValid);
  await expect(quoteWith(others.ctx, "half")).rejects.toMatchObject({ code: "RATE_LIMITED" });
  core.clock.set(addMs(core.clock.now(), hourMs));
  expect((await quoteWith(mine.ctx, "half")).total.amountMinor).toBe(25_000n);
});

test("of twenty who order with the last of a coupon at once, one has it", async () => {
  await using core = await house();
  await givenCoupon(core.ctx, { maxRedemptions: 1 });
  const customers = await Promise.all(Array.from({ length: 20 }, () => givenCustomer(core.ctx)));
  const answers = await Promise.allSettled(customers.map(({ ctx }) => orderWith(ctx, "HALF")));
  expect(answers.map(refusalOf).toSorted()).toEqual([...Array<string>(19).fill("NOT_FOUND"), "none"]);
  expect(await redeemed(core)).toEqual([1]);
});

test("an organization has a coupon once, however many orders it places at once", async () => {
  await using core = await house();
  await givenCoupon(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const answers = await Promise.allSettled([1, 2, 3, 4].map(() => orderWith(ctx, "HALF")));
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await redeemed(core)).toEqual([1]);
});

describe("an order that comes to nothing", () => {
  test("gives its coupon back, so that it can be had again", async () => {
    await using core = await house();
    await givenCoupon(core.ctx, { maxRedemptions: 1, periods: 3 });
    const { ctx } = await givenCustomer(core.ctx);
    const { subscription } = await orderWith(ctx, "HALF");
    core.clock.set(addMs(core.clock.now(), dayMs));
    await reconcileSubscription(core.ctx, subscription.subscription.id);
    expect(await redeemed(core)).toEqual([0]);
    expect((await listRedemptions(ctx, {})).items).toEqual([]);
    await orderWith(ctx, "HALF");
    expect(await redeemed(core)).toEqual([1]);
    expect(core.observed.filter((type) => type.startsWith("coupon."))).toEqual([
      "coupon.redeemed",
      "coupon.returned",
      "coupon.redeemed",
    ]);
  });

  test("gives it back also when it cost nothing and its app never became ready", async () => {
    await using core = await house();
    await givenCoupon(core.ctx, { discount: { kind: "percent", basisPoints: 10_000 } });
    const { ctx } = await givenCustomer(core.ctx);
    const { subscription } = await orderWith(ctx, "HALF");
    const subscriptionId = subscription.subscription.id;
    await cancelNow(ctx, { subscriptionId, confirmName: "Shop", idempotencyKey: "cancel-01" });
    expect(await redeemed(core)).toEqual([0]);
  });

  test("leaves no trace of a coupon if it is refused", async () => {
    await using core = await testCore();
    await givenCatalog(core.ctx);
    await givenCoupon(core.ctx);
    const { ctx } = await givenCustomer(core.ctx);
    await expect(orderWith(ctx, "HALF")).rejects.toMatchObject({ code: "CAPACITY" });
    expect(await redeemed(core)).toEqual([0]);
    expect(await core.database.drizzle.$count(couponRedemptions)).toBe(0);
  });
});

describe("an operator", () => {
  test("deletes a coupon that nobody had, and can only switch off one that somebody had; all of it is audited", async () => {
    await using core = await house();
    const { coupon } = await givenCoupon(core.ctx);
    await expect(givenCoupon(core.ctx, { code: "half" })).rejects.toMatchObject({ code: "CONFLICT" });
    await deleteCoupon(core.ctx, coupon.id);
    await expect(deleteCoupon(core.ctx, coupon.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const { coupon: second } = await givenCoupon(core.ctx, { planIds: [await planIdOf(core.ctx, "small")] });
    const { ctx } = await givenCustomer(core.ctx);
    const { subscription } = await orderWith(ctx, "HALF");
    await expect(deleteCoupon(core.ctx, second.id)).rejects.toMatchObject({ code: "CONFLICT" });
    await deactivateCoupon(core.ctx, second.id);
    await deactivateCoupon(core.ctx, second.id);
    expect((await listCoupons(core.ctx, {})).items).toMatchObject([{ coupon: { code: "HALF", redeemed: 1 } }]);
    // Who has it keeps it, and even a coupon that was given back stays.
    await cancelNow(ctx, {
      subscriptionId: subscription.subscription.id,
      confirmName: "Shop",
      idempotencyKey: "cancel-01",
    });
    await expect(deleteCoupon(core.ctx, second.id)).rejects.toMatchObject({ code: "CONFLICT" });
    const audit = await core.database.drizzle.select().from(operatorAuditEntries).orderBy(asc(operatorAuditEntries.id));
    expect(audit.map(({ action }) => action).filter((action) => action.startsWith("coupon."))).toEqual([
      "coupon.created",
      "coupon.deleted",
      "coupon.created",
      "coupon.deactivated",
    ]);
  });

  test.each([
    ["a code with a blank", { code: "NO GOOD" }],
    ["a short code", { code: "AB" }],
    ["nothing per cent", { discount: { kind: "percent", basisPoints: 0 } }],
    ["more than all of it", { discount: { kind: "percent", basisPoints: 10_001 } }],
    ["half a hundredth", { discount: { kind: "percent", basisPoints: 0.5 } }],
    ["an amount of nothing", { discount: { kind: "amount", amountMinor: 0n, currency: "IDR" } }],
    ["money that the house does not know", { discount: { kind: "amount", amountMinor: 1n, currency: "XXX" } }],
    ["no period", { periods: 0 }],
    ["nobody", { maxRedemptions: 0 }],
    ["an end before its beginning", { startsAt: new Date(0), endsAt: new Date(0) }],
  ] as const)("makes no coupon for %s", async (_, terms) => {
    await using core = await testCore();
    await expect(givenCoupon(core.ctx, terms)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("makes no coupon for plans and organizations that nobody has", async () => {
    await using core = await testCore();
    const id = core.ctx.ids.next();
    await expect(givenCoupon(core.ctx, { planIds: [id] })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(givenCoupon(core.ctx, { organizationId: id })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("alone may make coupons", async () => {
    await using core = await testCore();
    const { ctx } = await givenCustomer(core.ctx);
    await expect(givenCoupon(ctx)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(listCoupons(ctx, {})).rejects.toMatchObject({ code: "FORBIDDEN" });
  });
});
