import { randomInt } from "node:crypto";
import { instanceChanges, invoiceLines, invoices, operations, refunds } from "@sewa/db/schema";
import { and, asc, eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import { failOverdueOperations, type Observation } from "../instances/index.ts";
import { applyCoupon } from "../subscriptions/index.ts";
import { observations } from "../testing/fake-world.ts";
import { givenCoupon } from "../testing/given-coupons.ts";
import { givenCustomer } from "../testing/given.ts";
import {
  changePlan,
  type ChangeRequest,
  type ChangeView,
  planChange,
  previewPlanChange,
  reconcileChange,
} from "./index.ts";
import { after, applyPlans, givenApp, pay, type TestApp, type TestPlan, usualPreview } from "./test-changes.ts";

const gib = 2 ** 30;
const storage = (amount: string, adds = "32Gi", max = 8): string =>
  `[{ slug: extra-storage, name: Extra storage, adds: { storage: ${adds} }, max: ${max}, prices: [{ currency: IDR, amount: "${amount}" }] }]`;
const plans: readonly TestPlan[] = [
  { slug: "small", amount: "50000", storage: "4Gi", addons: storage("20000") },
  { slug: "large", amount: "120000", storage: "8Gi", addons: storage("15000") },
  { slug: "tight", amount: "50000", storage: "4Gi", addons: storage("10000", "16Gi", 1) },
  { slug: "wide", amount: "40000", storage: "2Gi", addons: storage("40000", "64Gi") },
  { slug: "bare", amount: "60000", storage: "4Gi" },
];
const more = (count: number): ChangeRequest => ({
  kind: "update",
  parameters: {},
  addons: { "extra-storage": count },
});
const cannotGrow = {
  ...usualPreview,
  refusals: [{ kind: "PersistentVolumeClaim", name: "data", reason: "VOLUME_CANNOT_GROW" as const }],
};

const ask = ({ ctx, instanceId }: TestApp, request: ChangeRequest): Promise<ChangeView> =>
  planChange(ctx, { instanceId, request, idempotencyKey: ctx.ids.next() });

async function smallApp(): Promise<TestApp> {
  const app = await givenApp("small", undefined, false, plans);
  await pay(app);
  await app.provision();
  return app;
}

async function carryOut(app: TestApp, plan: ChangeView): Promise<void> {
  await app.approve(plan);
  if (plan.change.dueMinor > 0n) await pay(app);
  await reconcileChange(app.core.ctx, app.instanceId);
  await app.look(plan.change.id);
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);
}

/** `kind description quantity x unit` of the newest invoice with this reason. */
async function newest(app: TestApp, reason: "change" | "renewal"): Promise<readonly string[]> {
  const rows = await app.core.database.drizzle
    .select({ line: invoiceLines, invoiceId: invoices.id })
    .from(invoices)
    .innerJoin(invoiceLines, eq(invoiceLines.invoiceId, invoices.id))
    .where(and(eq(invoices.subscriptionId, app.subscriptionId), eq(invoices.reason, reason)))
    .orderBy(asc(invoices.id), asc(invoiceLines.position));
  return rows
    .filter(({ invoiceId }) => invoiceId === rows.at(-1)?.invoiceId)
    .map(({ line }) => `${line.kind} ${line.description} ${line.quantity} x ${line.unitAmountMinor}`);
}

describe("more of an add-on", () => {
  test("costs its price for the rest of the period, to the unit, makes the volume larger, and is on every later invoice", async () => {
    await using app = await smallApp();
    const { currentPeriodStart: start, currentPeriodEnd: end } = await app.subscription();
    const seed = randomInt(22 * dayMs);
    const at = addMs(start!, seed);
    app.core.clock.set(at);
    const plan = await app.planned(more(2));
    const due = BigInt(Math.round((40_000 * (end!.getTime() - at.getTime())) / (end!.getTime() - start!.getTime())));
    expect({ seed, due: plan.change.dueMinor }).toEqual({ seed, due });
    expect(plan.effects?.room).toEqual({ cpuMillis: 0, memoryBytes: 0, storageBytes: 64 * gib });
    expect(plan.after).toMatchObject({ addons: { "extra-storage": 2 }, limits: { storageBytes: 68 * gib } });
    expect((await app.instance()).addons).toEqual({});

    await carryOut(app, plan);
    expect(await newest(app, "change")).toEqual([
      `change Uptime Kuma, 2 x Extra storage, rest of the period 1 x ${due}`,
    ]);
    expect(await app.instance()).toMatchObject({
      addons: { "extra-storage": 2 },
      limits: { storageBytes: 68 * gib, cpuRequestMillis: 100 },
    });
    expect(await app.subscription()).toMatchObject({ amountMinor: 90_000n });
    await after(app, end!.getTime() - at.getTime() - 6 * dayMs);
    expect(await newest(app, "renewal")).toEqual([
      "plan Uptime Kuma, small 1 x 50000",
      "addon Extra storage 2 x 20000",
    ]);
  });

  test("keeps what is there at its price, and what comes now costs what it costs now", async () => {
    await using app = await smallApp();
    await carryOut(app, await app.planned(more(1)));
    await applyPlans(app.core.ctx, { plans: [{ ...plans[0]!, addons: storage("25000") }, ...plans.slice(1)] });
    await carryOut(app, await app.planned({ kind: "update", parameters: { timeZone: "Asia/Makassar" } }));
    expect(await app.subscription()).toMatchObject({ amountMinor: 70_000n });

    const plan = await app.planned(more(3));
    expect(plan.change).toMatchObject({ amountAfterMinor: 120_000n, dueMinor: 50_000n });
    await carryOut(app, plan);
    const { items } = await app.subscription();
    expect(items.map(({ kind, quantity, unitAmountMinor }) => [kind, quantity, unitAmountMinor])).toEqual([
      ["plan", 1, "50000"],
      ["addon", 1, "20000"],
      ["addon", 2, "25000"],
    ]);
    expect((await app.instance()).limits.storageBytes).toBe(100 * gib);
  });

  test("is refused for fewer, too many, an unknown one, or none, with the path of each", async () => {
    await using app = await smallApp();
    await carryOut(app, await app.planned(more(2)));
    for (const [request, path] of [
      [more(1), "addons.extra-storage"],
      [more(0), "addons.extra-storage"],
      [more(9), "addons.extra-storage"],
      [more(2.5), "addons.extra-storage"],
      [{ kind: "update", parameters: {}, addons: { other: 1 } }, "addons.other"],
      [{ kind: "update", parameters: { timeZone: "UTC" }, addons: { "extra-storage": 3 } }, "addons"],
    ] as const) {
      await expect(ask(app, request)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        issues: [{ path, message: expect.any(String) }],
      });
    }
    await expect(ask(app, more(2))).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    expect(await app.changes()).toEqual(["update executed"]);
  });

  test("is refused where storage cannot grow, and nothing is charged for what does not come", async () => {
    await using app = await smallApp();
    const plan = await app.planned(more(1), cannotGrow);
    expect(plan.change).toMatchObject({ status: "refused", reason: "VOLUME_CANNOT_GROW" });
    expect(plan.message).toContain("nothing is charged");
    await expect(app.approve(plan)).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect(await app.invoices()).toEqual(["order paid 50000"]);
    expect(await app.instance()).toMatchObject({ addons: {}, limits: { storageBytes: 4 * gib } });
    expect(await app.subscription()).toMatchObject({ amountMinor: 50_000n });
  });

  test("is there when the cluster says so: until then the change is under way and the app runs, and in the end it fails with the reason and is paid back", async () => {
    await using app = await smallApp();
    const growing = {
      ...observations.running,
      conditions: [{ type: "VolumeBound", status: "True", reason: "VOLUME_NOT_GROWN", message: "Not yet." }],
      steps: { ...observations.running.steps, volume: "running" },
    } as const satisfies Observation;
    const begin = async (count: number) => {
      const plan = await app.planned(more(count));
      await app.approve(plan);
      await pay(app);
      await reconcileChange(app.core.ctx, app.instanceId);
      await app.look(plan.change.id);
      await app.provision(growing);
      await reconcileChange(app.core.ctx, app.instanceId);
    };
    await begin(1);
    expect(await app.changes()).toEqual(["update executing"]);
    expect(await app.instance()).toMatchObject({ observedPhase: "running", isSettled: false, reason: null });
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["update executed"]);

    await begin(2);
    app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
    await failOverdueOperations(app.core.ctx);
    await reconcileChange(app.core.ctx, app.instanceId);
    // What is put back waits for no volume.
    await app.provision(growing);
    const ended = await app.core.database.drizzle.select().from(operations).orderBy(asc(operations.id));
    expect(ended.map(({ kind, status, reason }) => `${kind} ${status} ${reason}`)).toEqual([
      "provision succeeded null",
      "update succeeded null",
      "update failed VOLUME_NOT_GROWN",
      "update succeeded null",
    ]);
    expect(await app.instance()).toMatchObject({ isSettled: true, addons: { "extra-storage": 1 } });
    expect(await app.subscription()).toMatchObject({ amountMinor: 70_000n });
    expect(await app.core.database.drizzle.$count(refunds)).toBe(1);
  });

  test("that was paid when the storage can no longer grow gives the money back", async () => {
    await using app = await smallApp();
    const plan = await app.planned(more(1));
    await app.approve(plan);
    await pay(app);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect((await app.look(plan.change.id, cannotGrow)).change).toMatchObject({
      status: "refused",
      reason: "PLAN_STALE",
    });
    const given = await app.core.database.drizzle.select().from(refunds);
    expect(given.map(({ amountMinor }) => amountMinor)).toEqual([20_000n]);
    expect(await app.subscription()).toMatchObject({ amountMinor: 50_000n });
    expect((await app.instance()).addons).toEqual({});
  });

  test("that was put back keeps its volume for nothing, and what is there already is not sold again", async () => {
    await using app = await smallApp();
    const plan = await app.planned(more(2));
    await app.approve(plan);
    await pay(app);
    await reconcileChange(app.core.ctx, app.instanceId);
    await app.look(plan.change.id);
    app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
    await failOverdueOperations(app.core.ctx);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["update failed OPERATION_FAILED"]);
    await app.provision();
    expect(await app.instance()).toMatchObject({ addons: {}, limits: { storageBytes: 68 * gib } });
    expect(await app.subscription()).toMatchObject({ amountMinor: 50_000n });
    await expect(app.planned(more(2))).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    expect((await app.planned(more(3))).after?.limits.storageBytes).toBe(100 * gib);
  });

  test("costs half with a coupon that takes half off, for the rest of the period too", async () => {
    await using app = await smallApp();
    await givenCoupon(app.core.ctx);
    await applyCoupon(app.ctx, { subscriptionId: app.subscriptionId, code: "HALF", idempotencyKey: "coupon-001" });
    await after(app, 24 * dayMs);
    await pay(app);
    await after(app, 6 * dayMs);
    const plan = await app.planned(more(1));
    expect(plan.change.dueMinor).toBe(10_000n);
    await carryOut(app, plan);
    await after(app, 24 * dayMs);
    expect((await newest(app, "renewal")).slice(1)).toEqual([
      "addon Extra storage 1 x 20000",
      "discount Coupon HALF, 50 % 70000 x 5000",
    ]);
    expect((await app.invoices()).at(-1)).toBe("renewal open 35000");
  });

  test("of another organization's app is NOT_FOUND", async () => {
    await using app = await smallApp();
    const stranger = await givenCustomer(app.core.ctx);
    const asked = ask({ ...app, ctx: stranger.ctx }, more(1));
    await expect(asked).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("another plan", () => {
  async function withTwo(): Promise<TestApp> {
    const app = await smallApp();
    await carryOut(app, await app.planned(more(2)));
    return app;
  }

  test("that offers the same add-on keeps it, at that plan's price", async () => {
    await using app = await withTwo();
    const plan = await app.resize("large");
    expect(plan.after).toMatchObject({ addons: { "extra-storage": 2 }, limits: { storageBytes: 72 * gib } });
    expect(plan.change).toMatchObject({ amountBeforeMinor: 90_000n, amountAfterMinor: 150_000n, dueMinor: 60_000n });
    await carryOut(app, plan);
    expect(await app.instance()).toMatchObject({ addons: { "extra-storage": 2 }, limits: { storageBytes: 72 * gib } });
    expect((await app.subscription()).items.at(-1)).toMatchObject({
      kind: "addon",
      quantity: 2,
      unitAmountMinor: "15000",
    });
  });

  test("that does not, or has fewer of it, is refused and drops nothing", async () => {
    await using app = await withTwo();
    await expect(app.resize("bare")).rejects.toMatchObject({
      code: "PLAN_UNAVAILABLE",
      message: expect.stringContaining("extra-storage"),
    });
    await expect(app.resize("tight")).rejects.toMatchObject({
      code: "PLAN_UNAVAILABLE",
      message: expect.stringContaining("1 times at most"),
    });
    expect((await app.instance()).addons).toEqual({ "extra-storage": 2 });
  });

  test("on which they are larger is refused where storage cannot grow, and never begins with a period", async () => {
    await using app = await withTwo();
    const plan = await app.resize("wide", cannotGrow);
    expect(plan.change).toMatchObject({ status: "refused", reason: "VOLUME_CANNOT_GROW" });
    const choice = { subscriptionId: app.subscriptionId, planId: (await app.plan("wide")).id };
    await expect(previewPlanChange(app.ctx, { ...choice, moment: "period_end" })).rejects.toMatchObject({
      code: "PLAN_UNAVAILABLE",
    });
    expect(await app.subscription()).toMatchObject({ amountMinor: 90_000n, nextTerms: null });
  });

  test("that is larger itself can be had without its storage, with the add-ons that are there", async () => {
    await using app = await withTwo();
    const plan = await app.resize("large", cannotGrow);
    expect(plan.change.status).toBe("planned");
    expect(plan.effects?.warnings).toContain("VOLUME_CANNOT_GROW");
    expect(plan.after).toMatchObject({ addons: { "extra-storage": 2 }, limits: { storageBytes: 68 * gib } });
  });

  test("from the next period on brings them along, at what was agreed", async () => {
    await using app = await withTwo();
    const choice = {
      subscriptionId: app.subscriptionId,
      planId: (await app.plan("large")).id,
      moment: "period_end" as const,
    };
    const { at, priceKey } = await previewPlanChange(app.ctx, choice);
    await changePlan(app.ctx, { ...choice, at, priceKey, idempotencyKey: "next-plan1" });
    await expect(app.planned(more(3))).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    await after(app, 24 * dayMs);
    expect(await newest(app, "renewal")).toEqual([
      "plan Uptime Kuma, large 1 x 120000",
      "addon Extra storage 2 x 15000",
    ]);
    await pay(app);
    await after(app, 6 * dayMs);
    // Paid, and the catalog no longer offers it: what was agreed to counts.
    await applyPlans(app.core.ctx, { plans: plans.map(({ addons: _addons, ...plan }) => plan) });
    const [known] = await app.core.database.drizzle
      .select({ id: instanceChanges.id })
      .from(instanceChanges)
      .where(eq(instanceChanges.status, "planning"));
    await app.look(known!.id);
    await app.look(known!.id);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect((await app.changes()).at(-1)).toBe("resize executed");
    expect(await app.instance()).toMatchObject({ addons: { "extra-storage": 2 }, limits: { storageBytes: 72 * gib } });
    expect(await app.subscription()).toMatchObject({ amountMinor: 150_000n });
  });
});
