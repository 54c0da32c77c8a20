import { freePlaces, invoices, subscriptions, trials } from "@sewa/db/schema";
import { eq, isNull } from "drizzle-orm";
import { expect, test } from "vitest";
import { type CoreContext, createContext } from "../context.ts";
import { deleteAccount } from "../privacy/index.ts";
import { cancelAtPeriodEnd, cancelNow, reconcileSubscription, renewSubscription } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { planIdOf, refusalOf } from "../testing/given-coupons.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { placeOrder, quoteOrder } from "./index.ts";

type Terms = NonNullable<Parameters<typeof givenCatalog>[1]>;

async function givenHouse(terms: Terms, config: Parameters<typeof testCore>[0] = {}): Promise<TestCore> {
  const core = await testCore(config);
  await givenCatalog(core.ctx, terms);
  await givenMachines(core.ctx);
  return core;
}

async function outcome(work: Promise<unknown>): Promise<string> {
  const [settled] = await Promise.allSettled([work]);
  return refusalOf(settled!);
}

const quote = async (ctx: CoreContext, plan = "free", withTrial = true) =>
  quoteOrder(ctx, { planId: await planIdOf(ctx, plan), parameters: {}, withTrial });

const cancel = (ctx: CoreContext, subscriptionId: string) =>
  cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: ctx.ids.next() });

const living = ({ database }: TestCore): Promise<number> =>
  database.drizzle.$count(freePlaces, isNull(freePlaces.returnedAt));

test("a plan that is one per person is refused to its mailbox in every spelling, for every organization, in the quote already", async () => {
  await using core = await givenHouse({ onePerPerson: true });
  const { ctx: first } = await givenCustomer(core.ctx, { email: "ana@gmail.com" });
  const { ctx: second } = await givenCustomer(core.ctx, { email: "a.na+shop@googlemail.com" });
  const { ctx: other } = await givenCustomer(core.ctx, { email: "budi@gmail.com" });
  const { subscription } = await givenOrder(first);
  for (const ctx of [first, second]) {
    expect(await outcome(quote(ctx))).toBe("FREE_PLAN_USED");
    expect(await outcome(quote(ctx, "small"))).toBe("none");
  }
  await givenOrder(other);
  expect(await living(core)).toBe(2);
  await cancel(first, subscription.subscription.id);
  // It is for one at a time: who deletes the app may have another one.
  await givenOrder(second);
  expect(await outcome(quote(first))).toBe("FREE_PLAN_USED");
});

test("of many orders at once, by the same person for many organizations, one is placed", async () => {
  await using core = await givenHouse({ onePerPerson: true });
  const people = await Promise.all(
    [0, 1, 2, 3, 4, 5].map((n) => givenCustomer(core.ctx, { email: `ana+${n}@customer.test` })),
  );
  const planId = await planIdOf(core.ctx, "free");
  const { priceKey } = await quote(people[0]!.ctx);
  const order = { planId, parameters: {}, name: "Status page", priceKey };
  const answers = await Promise.allSettled(
    people.flatMap(({ ctx }) =>
      ["one", "two"].map((key) => placeOrder(ctx, { ...order, idempotencyKey: `at-once-${key}` })),
    ),
  );
  expect(answers.map(refusalOf).toSorted()).toEqual([...Array(11).fill("FREE_PLAN_USED"), "none"]);
  expect(await core.database.drizzle.$count(subscriptions)).toBe(1);
  expect(await living(core)).toBe(1);
});

test("without the word of the catalog a free plan may be had as often as there is room", async () => {
  await using core = await givenHouse({});
  const { ctx } = await givenCustomer(core.ctx);
  await givenOrder(ctx);
  await givenOrder(ctx);
  expect(await living(core)).toBe(0);
});

test("who deletes the account has the free plan for as long as the app lives, and no second trial ever", async () => {
  await using core = await givenHouse({ onePerPerson: true, trial: `{ periods: 1, amount: "0" }` });
  const { ctx, userId, organizationId } = await givenCustomer(core.ctx, { email: "ana@gmail.com" });
  const house = core.ctx.forOrganization(organizationId);
  const { subscription: free } = await givenOrder(ctx);
  const { subscription: tried } = await givenOrder(ctx, { plan: "small", name: "Tried" });
  for (const { instanceId } of [free, tried]) await provisionOnce(core.ctx, instanceId);
  for (const { subscription } of [free, tried])
    await cancelAtPeriodEnd(ctx, { subscriptionId: subscription.id, idempotencyKey: ctx.ids.next() });
  await deleteAccount(ctx, { userId, confirmEmail: "ana@gmail.com" });
  const { ctx: again } = await givenCustomer(core.ctx, { email: "a.na@gmail.com" });
  expect(await outcome(quote(again))).toBe("FREE_PLAN_USED");
  expect(await outcome(quote(again, "small"))).toBe("TRIAL_USED");
  for (const moment of ["2026-04-03T03:00:00Z", "2026-05-20T03:00:00Z", "2026-07-20T03:00:00Z"]) {
    core.clock.set(new Date(moment));
    for (const { subscription, instanceId } of [free, tried]) {
      await reconcileSubscription(house, subscription.id);
      await provisionOnce(core.ctx, instanceId);
    }
  }
  expect(await core.database.drizzle.$count(subscriptions, eq(subscriptions.status, "cancelled"))).toBe(2);
  expect(await outcome(quote(again))).toBe("none");
  expect(await outcome(quote(again, "small"))).toBe("TRIAL_USED");
  expect(await outcome(quote(again, "small", false))).toBe("none");
  expect(await core.database.drizzle.$count(trials, isNull(trials.returnedAt))).toBe(1);
});

test("an address of a throw-away mail provider gets no free plan and no trial, and whatever costs something", async () => {
  await using core = await givenHouse({ trial: `{ periods: 1, amount: "0" }` });
  const { ctx } = await givenCustomer(core.ctx, { email: "ana@box.mailinator.com" });
  expect(await outcome(quote(ctx))).toBe("DISPOSABLE_ADDRESS");
  expect(await outcome(quote(ctx, "small"))).toBe("DISPOSABLE_ADDRESS");
  const planId = await planIdOf(ctx, "small");
  const wish = { planId, parameters: {}, withTrial: false };
  const { priceKey } = await quoteOrder(ctx, wish);
  const order = { ...wish, name: "Status page", priceKey, idempotencyKey: "disposable" };
  const { subscription } = await placeOrder(ctx, order);
  expect(subscription.subscription.status).toBe("pending");
});

test("an app that is there already goes on, whatever becomes of its owner's address", async () => {
  await using core = await givenHouse({}, { disposableAddresses: null });
  const { ctx, organizationId } = await givenCustomer(core.ctx, { email: "ana@mailinator.com" });
  const { subscription } = await givenOrder(ctx);
  await provisionOnce(core.ctx, subscription.instanceId);
  core.clock.set(new Date("2026-03-30T03:00:00Z"));
  const config = { ...core.ctx.config, disposableAddresses: { also: [], except: [] } };
  const strict = createContext({ ...ctx, config }, { actor: ctx.actor, organizationId });
  expect(await outcome(quote(strict))).toBe("DISPOSABLE_ADDRESS");
  const { id: subscriptionId } = subscription.subscription;
  const renewed = await renewSubscription(strict, { subscriptionId, idempotencyKey: "renew-free" });
  expect(renewed.subscription.status).toBe("active");
  expect(await core.database.drizzle.$count(invoices, eq(invoices.status, "paid"))).toBe(2);
});
