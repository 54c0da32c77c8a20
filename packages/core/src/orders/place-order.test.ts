import { billingPeriods, capacityHolds, invoiceLines, invoices, nodePools, payments } from "@sewa/db/schema";
import { asc, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { listOfferings, type Plan } from "../catalog/index.ts";
import type { CoreContext } from "../context.ts";
import { listEvents } from "../events/index.ts";
import { getInstance } from "../instances/index.ts";
import { placeOrder, quoteOrder } from "./index.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { givenCoupon } from "../testing/given-coupons.ts";
import { testCore } from "../testing/test-core.ts";

test("a free order is paid, wanted and prompted in one commit, with a gapless event story", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);

  const { order, status, subscription } = await givenOrder(ctx);

  expect(status).toBe("completed");
  expect(subscription.subscription).toMatchObject({ status: "active", termNumber: 1, periodIndex: 0 });
  expect(order.totalMinor).toBe(0n);
  const { instance, operation } = await getInstance(ctx, subscription.instanceId);
  expect(instance).toMatchObject({ desiredPhase: "running", generation: 2, isSettled: false });
  expect(operation).toMatchObject({ kind: "provision", status: "queued" });
  expect(await core.database.drizzle.select().from(invoices)).toMatchObject([
    { status: "paid", totalMinor: 0n, number: 1 },
  ]);
  expect(await core.database.drizzle.select().from(payments)).toMatchObject([{ amountMinor: 0n, provider: "manual" }]);
  expect(await core.database.drizzle.select().from(billingPeriods)).toHaveLength(1);
  expect(await core.database.drizzle.select().from(capacityHolds)).toHaveLength(1);
  const keys = await core.database.drizzle.execute(sql`select key from graphile_worker.jobs`);
  expect(keys.map(({ key }) => key)).toContain(`instance:reconcile:${subscription.instanceId}`);
  const { items } = await listEvents(ctx, {});
  expect(items.map(({ sequence }) => sequence)).toEqual(items.map((_, index) => items.length - index));
  expect(items.map(({ type }) => type).toReversed()).toEqual([
    "instance.created",
    "order.placed",
    "invoice.opened",
    "payment.recorded",
    "invoice.paid",
    "subscription.activated",
    "instance.desiredChanged",
    "operation.started",
  ]);
});

test("B70 the same key answers with the same order, and with another input it is refused", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);

  const first = await givenOrder(ctx, { key: "key-0001" });
  const second = await givenOrder(ctx, { key: "key-0001" });

  expect(second).toEqual(first);
  await expect(givenOrder(ctx, { key: "key-0001", name: "Another" })).rejects.toMatchObject({
    code: "IDEMPOTENCY_KEY_REUSED",
  });
  expect(await core.database.drizzle.select().from(invoices)).toHaveLength(1);
});

test("K12 B75 two orders for the last place: one gets it, the other is told CAPACITY and leaves nothing behind", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const customers = await Promise.all([givenCustomer(core.ctx), givenCustomer(core.ctx)]);
  const { items } = await listOfferings(core.ctx, {});
  const free = items[0]?.plans.find(({ slug }) => slug === "free");
  await core.database.drizzle.update(nodePools).set({
    heldCpuMillis: sql`${nodePools.allocatableCpuMillis} * (100 - ${nodePools.cpuReservePercent}) / 100 - ${free!.limits.cpuRequestMillis}`,
  });

  const answers = await Promise.allSettled(customers.map(({ ctx }) => givenOrder(ctx)));

  expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(answers.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "CAPACITY" } });
  expect(await core.database.drizzle.select().from(capacityHolds)).toHaveLength(1);
  expect(await core.database.drizzle.select().from(invoices)).toMatchObject([{ number: 1 }]);
});

test("what is booked is what was quoted, to the words on its lines", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const plan = (await listOfferings(ctx, {})).items[0]!.plans[0]!;
  const order = { planId: plan.id, parameters: {}, name: "Status page", idempotencyKey: "order-0001" };
  const { priceKey } = await quoteOrder(ctx, order);
  // The line of the invoice would read otherwise than the one that was quoted.
  await core.database.drizzle.execute("update offerings set name = 'Another name' where slug = 'uptime-kuma'");
  await expect(placeOrder(ctx, { ...order, priceKey })).rejects.toMatchObject({ code: "PRICE_CHANGED" });
});

test("an order with add-ons costs, grants and says what was quoted; every later period and every coupon has them too", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx, { addons: storageAddon });
  await givenMachines(core.ctx);
  await givenCoupon(core.ctx, { periods: 1 });
  const { ctx } = await givenCustomer(core.ctx);
  const plan = await smallPlan(ctx);
  const wish = { planId: plan.id, parameters: {}, addons: { "extra-storage": 2 }, couponCode: "HALF" };
  const quote = await quoteOrder(ctx, wish);
  const [total, later] = [quote.total.amountMinor, quote.laterTotal.amountMinor];
  expect([total, later]).toEqual([45_000n, 90_000n]);

  const { order, subscription } = await givenOrder(ctx, { plan: "small", ...wish });
  expect(order).toMatchObject({ totalMinor: total, addons: { "extra-storage": 2 } });
  const { instance } = await getInstance(ctx, subscription.instanceId);
  expect(instance).toMatchObject({ addons: { "extra-storage": 2 }, limits: { storageBytes: 68 * 2 ** 30 } });
  expect(quote.limits).toEqual(instance.limits);
  const lines = await core.database.drizzle.select().from(invoiceLines).orderBy(asc(invoiceLines.position));
  expect(lines).toMatchObject(quote.lines.map(({ kind, description, quantity }) => ({ kind, description, quantity })));
  expect(lines[1]).toMatchObject({ kind: "addon", quantity: 2n, unitAmountMinor: 20_000n, amountMinor: 40_000n });
  expect(subscription.subscription.amountMinor).toBe(later);
});

test("add-ons that the plan does not have so are refused with their path, and another number is another price", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx, { addons: storageAddon });
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { id: planId } = await smallPlan(ctx);
  const quote = (addons: Record<string, number>) => quoteOrder(ctx, { planId, parameters: {}, addons });
  for (const [addons, path] of [
    [{ "extra-storage": 9 }, "addons.extra-storage"],
    [{ "extra-storage": 0 }, "addons.extra-storage"],
    [{ "extra-storage": 0.5 }, "addons.extra-storage"],
    [{ other: 1 }, "addons.other"],
  ] as const)
    await expect(quote(addons)).rejects.toMatchObject({ code: "INVALID_INPUT", issues: [{ path }] });
  const { priceKey } = await quote({ "extra-storage": 1 });
  const order = { planId, parameters: {}, name: "Status page", idempotencyKey: "order-0001", priceKey };
  await expect(placeOrder(ctx, { ...order, addons: { "extra-storage": 2 } })).rejects.toMatchObject({
    code: "PRICE_CHANGED",
  });
  await expect(placeOrder(ctx, order)).rejects.toMatchObject({ code: "PRICE_CHANGED" });
  expect(await core.database.drizzle.select().from(invoices)).toEqual([]);
});

const storageAddon = `[{ slug: extra-storage, name: Extra storage, adds: { storage: 32Gi }, max: 8, prices: [{ currency: IDR, amount: "20000" }] }]`;

async function smallPlan(ctx: CoreContext): Promise<Plan> {
  const { items } = await listOfferings(ctx, {});
  return items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "small")!;
}
