import { members, notifications, refunds, users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { previewPlanChange } from "./index.ts";
import { after, applyPlans, givenApp, pay, type TestApp, type TestPlan, usualPlans } from "./test-changes.ts";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { givenCoupon, linesOf, planIdOf, refusalOf } from "../testing/given-coupons.ts";
import { failOverdueOperations } from "../instances/index.ts";
import { type OrderView, placeOrder, type Quote, quoteOrder } from "../orders/index.ts";
import { givenCustomer } from "../testing/given.ts";
import { applyCoupon, reconcileSubscription, renewSubscription } from "../subscriptions/index.ts";

const setup = `, setup: "25000"`;
const trial = (periods: number, amount = "0"): string => `, trial: { periods: ${periods}, amount: "${amount}" }`;
const plansWith = (price: string): readonly TestPlan[] =>
  usualPlans.map((plan) => (plan.slug === "small" || plan.slug === "large" ? { ...plan, price } : plan));

/** An app on the plan `small`, whose price has this beside its amount, as that of `large` has. */
async function given(price: string): Promise<TestApp> {
  const app = await givenApp("small", undefined, false, plansWith(price));
  if ((await app.subscription()).status === "pending") await pay(app);
  await app.provision();
  return app;
}

const quote = async (ctx: CoreContext, withTrial?: boolean): Promise<Quote> =>
  quoteOrder(ctx, { planId: await planIdOf(ctx, "small"), parameters: {}, withTrial });

async function order(ctx: CoreContext, withTrial?: boolean): Promise<OrderView> {
  const planId = await planIdOf(ctx, "small");
  const { priceKey } = await quote(ctx, withTrial);
  return placeOrder(ctx, {
    planId,
    parameters: {},
    withTrial,
    name: "Shop",
    priceKey,
    idempotencyKey: ctx.ids.next(),
  });
}

async function renewPaid(app: TestApp): Promise<void> {
  await after(app, 24 * dayMs);
  await pay(app);
  await after(app, 6 * dayMs);
}

const mails = async (app: TestApp) =>
  (await app.core.database.drizzle.select().from(notifications)).filter(({ kind }) => kind === "trial_ending");

describe("a setup fee", () => {
  test("is on the first invoice alone, and the quote says so", async () => {
    await using app = await given(setup);
    const { ctx } = await givenCustomer(app.core.ctx);
    const { total, laterTotal } = await quote(ctx);
    expect([total.amountMinor, laterTotal.amountMinor]).toEqual([75_000n, 50_000n]);
    await renewPaid(app);
    expect(await app.invoices()).toEqual(["order paid 75000", "renewal paid 50000"]);
  });

  test("is not asked for again when the app comes back after its expiry", async () => {
    await using app = await given(setup);
    await after(app, 31 * dayMs);
    await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-01" });
    expect((await app.invoices()).at(-1)).toBe("reactivation open 50000");
  });

  test("is taken off by no coupon", async () => {
    await using app = await given(setup);
    await givenCoupon(app.core.ctx);
    const { ctx } = await givenCustomer(app.core.ctx);
    const planId = await planIdOf(ctx, "small");
    const wish = { planId, parameters: {}, couponCode: "HALF" };
    const { priceKey } = await quoteOrder(ctx, wish);
    const placed = await placeOrder(ctx, { ...wish, name: "Shop", priceKey, idempotencyKey: "order-0001" });
    expect(await linesOf(app.core.ctx, placed.subscription.nextInvoice!.id)).toEqual([
      "plan 50000",
      "setup 25000",
      "discount -25000",
    ]);
  });

  test("goes back with all the rest when the app never became ready", async () => {
    await using app = await givenApp("small", undefined, false, plansWith(setup));
    await pay(app);
    app.core.clock.set(addMs(app.core.clock.now(), dayMs));
    await failOverdueOperations(app.core.ctx);
    await reconcileSubscription(app.core.ctx, app.subscriptionId);
    const given = await app.core.database.drizzle.select().from(refunds);
    expect(given.map(({ amountMinor }) => amountMinor)).toEqual([75_000n]);
  });

  test("is neither given back by a change of plan nor a part of what that costs", async () => {
    await using app = await given(setup);
    const planId = (await app.plan("large")).id;
    const choice = { subscriptionId: app.subscriptionId, planId, moment: "now" } as const;
    expect((await previewPlanChange(app.ctx, choice)).dueMinor).toBe(70_000n);
  });
});

describe("a trial", () => {
  test("costs its price for its periods, goes on by itself, and its owner reads the price before the first that costs it", async () => {
    await using app = await given(trial(2));
    expect((await app.subscription()).status).toBe("active");
    await after(app, 24 * dayMs);
    await after(app, 6 * dayMs);
    expect(await mails(app)).toEqual([]);
    await after(app, 24 * dayMs);
    expect(await app.invoices()).toEqual(["order paid 0", "renewal paid 0", "renewal open 50000"]);
    expect(await mails(app)).toMatchObject([{ data: { amountMinor: "50000", currency: "IDR" } }]);
    await pay(app);
    await after(app, 6 * dayMs);
    await renewPaid(app);
    expect((await app.invoices()).at(-1)).toBe("renewal paid 50000");
    expect(await mails(app)).toHaveLength(1);
  });

  test("may cost something, and the quote says what the first and what later periods cost", async () => {
    await using app = await given(`${setup}${trial(1, "9000")}`);
    const { ctx } = await givenCustomer(app.core.ctx);
    const { total, laterTotal, trialPeriods, lines } = await quote(ctx);
    expect([total.amountMinor, laterTotal.amountMinor, trialPeriods]).toEqual([34_000n, 50_000n, 1]);
    expect(lines[0]?.description).toBe("Uptime Kuma, small, trial");
    expect(await app.invoices()).toEqual(["order paid 34000"]);
  });

  test("ends with an expiry: what comes back costs its price", async () => {
    await using app = await given(trial(3, "9000"));
    await after(app, 31 * dayMs);
    await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-01" });
    expect((await app.invoices()).at(-1)).toBe("reactivation open 50000");
  });

  test("77 is had once per organization and app, also by orders that come at once; without it the app can be ordered", async () => {
    await using app = await given(trial(1));
    const used = { code: "TRIAL_USED" };
    await expect(quote(app.ctx)).rejects.toMatchObject(used);
    expect((await quote(app.ctx, false)).total.amountMinor).toBe(50_000n);
    const second = await order(app.ctx, false);
    expect(second.subscription.nextInvoice?.totalMinor).toBe(50_000n);
    const { ctx } = await givenCustomer(app.core.ctx);
    const answers = await Promise.allSettled([1, 2, 3].map(() => order(ctx)));
    expect(answers.map(refusalOf).toSorted()).toEqual(["TRIAL_USED", "TRIAL_USED", "none"]);
  });

  test("77 is had once per mailbox, however its address is spelt", async () => {
    await using app = await given(trial(1));
    const spell = async (ctx: CoreContext, email: string): Promise<void> => {
      const [member] = await app.core.database.drizzle
        .select()
        .from(members)
        .where(eq(members.organizationId, ctx.organizationId!));
      await app.core.database.drizzle.update(users).set({ email }).where(eq(users.id, member!.userId));
    };
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => givenCustomer(app.core.ctx)));
    await spell(one!.ctx, "ana.s+first@gmail.com");
    await spell(two!.ctx, "anas@googlemail.com");
    await spell(three!.ctx, "ana.s@customer.test");
    await order(one!.ctx);
    await expect(order(two!.ctx)).rejects.toMatchObject({ code: "TRIAL_USED" });
    await order(three!.ctx);
  });

  test("is not used up by an order that was never paid", async () => {
    await using app = await given(trial(1, "9000"));
    const { ctx } = await givenCustomer(app.core.ctx);
    const { subscription } = await order(ctx);
    app.core.clock.set(addMs(app.core.clock.now(), dayMs));
    await reconcileSubscription(app.core.ctx, subscription.subscription.id);
    expect((await order(ctx)).order.totalMinor).toBe(9_000n);
  });

  test("of one plan is not had on another: the rest of the period costs the difference of the prices, the next one the price", async () => {
    await using app = await given(trial(3));
    const plan = await app.resize("large");
    expect(plan.change.dueMinor).toBe(70_000n);
    await app.approve(plan);
    await pay(app);
    await after(app, 0);
    await app.look(plan.change.id);
    await app.provision();
    await after(app, 0);
    await after(app, 24 * dayMs);
    expect((await app.invoices()).at(-1)).toBe("renewal open 120000");
  });

  test("that was left for another plan is over, also for who comes back to the plan that it was for", async () => {
    await using app = await given(trial(3));
    for (const slug of ["free", "small"]) {
      const plan = await app.resize(slug);
      expect(plan.change.dueMinor).toBe(0n);
      await app.approve(plan);
      await after(app, 0);
      await app.look(plan.change.id);
      await app.provision();
      await after(app, 0);
    }
    await after(app, 24 * dayMs);
    expect((await app.invoices()).at(-1)).toBe("renewal open 50000");
  });

  test("for nothing leaves a coupon its periods", async () => {
    await using app = await given(trial(2));
    await givenCoupon(app.core.ctx, { periods: 1 });
    await applyCoupon(app.ctx, { subscriptionId: app.subscriptionId, code: "HALF", idempotencyKey: "apply-01" });
    await after(app, 24 * dayMs);
    await after(app, 6 * dayMs);
    await after(app, 24 * dayMs);
    expect(await app.invoices()).toEqual(["order paid 0", "renewal paid 0", "renewal open 25000"]);
  });

  test("that is changed in the catalog is another price, and who has the old one keeps it", async () => {
    await using app = await given(trial(2));
    await applyPlans(app.core.ctx, { plans: usualPlans });
    await after(app, 24 * dayMs);
    expect(await app.invoices()).toEqual(["order paid 0", "renewal paid 0"]);
    const { ctx } = await givenCustomer(app.core.ctx);
    expect((await quote(ctx)).total.amountMinor).toBe(50_000n);
  });
});
