import { randomInt } from "node:crypto";
import { notifications } from "@sewa/db/schema";
import { describe, expect, test } from "vitest";
import { userActor } from "../actor.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { failOverdueOperations } from "../instances/index.ts";
import { cancelAtPeriodEnd, getSubscription, renewSubscription } from "../subscriptions/index.ts";
import {
  type ChangeMoment,
  changePlan,
  executePlan,
  planChange,
  type PlanChangePreview,
  previewPlanChange,
  reconcileChange,
  sweepChanges,
  undoPlanChange,
} from "./index.ts";
import { after, applyPlans, givenApp, paidApp, pay, type TestApp } from "./test-changes.ts";

async function preview(app: TestApp, slug: string, moment: ChangeMoment): Promise<PlanChangePreview> {
  const planId = (await app.plan(slug)).id;
  return previewPlanChange(app.ctx, { subscriptionId: app.subscriptionId, planId, moment });
}

async function change(
  app: TestApp,
  slug: string,
  moment: ChangeMoment,
  { at, priceKey }: Pick<PlanChangePreview, "at" | "priceKey">,
  key?: string,
): ReturnType<typeof changePlan> {
  const { subscriptionId } = app;
  const planId = (await app.plan(slug)).id;
  return changePlan(app.ctx, {
    subscriptionId,
    planId,
    moment,
    at,
    priceKey,
    idempotencyKey: key ?? app.ctx.ids.next(),
  });
}

const undo = (app: TestApp) =>
  undoPlanChange(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: app.ctx.ids.next() });

/** Worker and cluster do what there is to do for the newest change. */
async function settle(app: TestApp): Promise<void> {
  const changeId = await newest(app);
  if ((await app.change(changeId)).change.status === "planning") await app.look(changeId);
  if ((await app.change(changeId)).change.status === "approved") await app.look(changeId);
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);
}

describe("now", () => {
  test("what the preview said is what is booked, at any moment of the period, and the app follows without a further question", async () => {
    const seed = randomInt(2 ** 31);
    await using first = await givenApp();
    for (let round = 0; round < 5; round += 1) {
      await using app = await paidApp("small", first.core);
      const { currentPeriodStart } = await app.subscription();
      app.core.clock.set(addMs(currentPeriodStart!, (seed * (round + 1) * 7_919) % (22 * dayMs)));
      const seen = await preview(app, "large", "now");
      expect(seen).toMatchObject({ amountBeforeMinor: 50_000n, amountAfterMinor: 120_000n, startsAt: seen.at });
      // Its owner thinks about it for a while.
      app.core.clock.set(addMs(app.core.clock.now(), 14 * minuteMs));
      const key = app.ctx.ids.next();
      await change(app, "large", "now", seen, key);
      await change(app, "large", "now", seen, key);
      await settle(app);
      expect({ seed, invoices: (await app.invoices()).at(-1) }).toEqual({
        seed,
        invoices: `change open ${seen.dueMinor}`,
      });
      expect(await app.subscription()).toMatchObject({ amountMinor: 50_000n });
      await pay(app);
      await reconcileChange(app.core.ctx, app.instanceId);
      await settle(app);
      expect(await app.changes()).toEqual(["resize executed"]);
      expect(await app.subscription()).toMatchObject({ amountMinor: 120_000n, nextTerms: null });
    }
  });

  test("a price that was seen too long ago, for another moment, or not at all, books nothing", async () => {
    await using app = await paidApp("small");
    const refused = { code: "PRICE_CHANGED" };
    const seen = await preview(app, "large", "now");
    await expect(change(app, "large", "period_end", seen)).rejects.toMatchObject({ code: "PLAN_UNAVAILABLE" });
    await expect(change(app, "large", "now", { ...seen, at: addMs(seen.at, -1) })).rejects.toMatchObject(refused);
    await expect(change(app, "large", "now", { ...seen, at: addMs(seen.at, 1) })).rejects.toMatchObject(refused);
    await expect(change(app, "free", "now", seen)).rejects.toMatchObject(refused);
    app.core.clock.set(addMs(seen.at, 15 * minuteMs + 1));
    await expect(change(app, "large", "now", seen)).rejects.toMatchObject(refused);
    expect(await app.changes()).toEqual([]);
    expect(await app.invoices()).toEqual(["order paid 50000"]);
  });

  test("without room it is refused, nothing is asked for, and its owner is told why", async () => {
    await using app = await paidApp("small");
    const seen = await preview(app, "large", "now");
    await app.core.database.drizzle.execute("update node_pools set allocatable_cpu_millis = held_cpu_millis + 1");
    await change(app, "large", "now", seen);
    await settle(app);
    expect(await app.changes()).toEqual(["resize refused NO_ROOM"]);
    expect(await app.invoices()).toEqual(["order paid 50000"]);
    expect(await app.subscription()).toMatchObject({ amountMinor: 50_000n });
    const mails = await app.core.database.drizzle.select().from(notifications);
    expect(mails.map(({ kind }) => kind)).toContain("change_not_made");
  });
});

describe("at the end of the period", () => {
  test("the next period is asked for at the new price, and the app follows when it begins, for nothing more", async () => {
    await using app = await paidApp("large");
    const { currentPeriodEnd } = await app.subscription();
    const large = await app.instance();
    const seen = await preview(app, "small", "period_end");
    expect(seen).toMatchObject({ amountAfterMinor: 50_000n, dueMinor: 0n, startsAt: currentPeriodEnd });
    const view = await change(app, "small", "period_end", seen);
    expect(view).toMatchObject({ planName: "large", nextPlan: { name: "small", amountMinor: 50_000n } });
    await after(app, 24 * dayMs);
    expect((await app.invoices()).at(-1)).toBe("renewal open 50000");
    await pay(app);
    expect((await app.instance()).planId).toBe(large.planId);
    const room = await app.held();

    await after(app, 6 * dayMs);
    expect(await app.subscription()).toMatchObject({ status: "active", amountMinor: 50_000n, nextTerms: null });
    await settle(app);
    expect(await app.changes()).toEqual(["resize executed"]);
    expect(await app.instance()).toMatchObject({ planId: (await app.plan("small")).id });
    expect(await app.subscription()).toMatchObject({ reshapeDueAt: null });
    expect(await app.held()).not.toEqual(room);
    expect(await app.invoices()).toEqual(["order paid 120000", "renewal paid 50000"]);
    await after(app, 24 * dayMs);
    expect((await app.invoices()).at(-1)).toBe("renewal open 50000");
  });

  test("an invoice that is open already is asked for anew, and so it is when the change is taken back", async () => {
    await using app = await paidApp("large");
    await after(app, 24 * dayMs);
    await change(app, "small", "period_end", await preview(app, "small", "period_end"));
    await after(app, 0);
    expect(await app.invoices()).toEqual(["order paid 120000", "renewal void 120000", "renewal open 50000"]);
    await undo(app);
    await after(app, 0);
    expect((await app.invoices()).slice(2)).toEqual(["renewal void 50000", "renewal open 120000"]);
    await expect(undo(app)).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  });

  test("once the next period is paid neither this nor its taking back is possible", async () => {
    await using app = await paidApp("large");
    const seen = await preview(app, "small", "period_end");
    await renewSubscription(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "renew-0001" });
    await pay(app);
    await expect(change(app, "small", "period_end", seen)).rejects.toMatchObject({ code: "ALREADY_RENEWED" });
    await using other = await paidApp("large", app.core);
    await change(other, "small", "period_end", await preview(other, "small", "period_end"));
    await renewSubscription(other.ctx, { subscriptionId: other.subscriptionId, idempotencyKey: "renew-0001" });
    await pay(other);
    await expect(undo(other)).rejects.toMatchObject({ code: "ALREADY_RENEWED" });
  });

  test("while it is planned no other change of the price is made, and a plan that needs more room is not planned so", async () => {
    await using app = await paidApp("small");
    await expect(preview(app, "large", "period_end")).rejects.toMatchObject({ code: "PLAN_UNAVAILABLE" });
    await change(app, "free", "period_end", await preview(app, "free", "period_end"));
    await expect(preview(app, "large", "now")).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    await expect(app.resize("large")).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    await undo(app);
    expect(await preview(app, "large", "now")).toMatchObject({ amountAfterMinor: 120_000n });
  });

  test("an app that is not renewed takes no other plan, and one that expires comes back on the new one", async () => {
    await using app = await paidApp("large");
    const seen = await preview(app, "small", "period_end");
    await change(app, "small", "period_end", seen);
    await cancelAtPeriodEnd(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "cancel-001" });
    expect(await app.subscription()).toMatchObject({ nextTerms: null, amountMinor: 120_000n });

    await using other = await paidApp("large", app.core);
    await change(other, "small", "period_end", await preview(other, "small", "period_end"));
    await after(other, 30 * dayMs);
    await other.provision();
    expect(await other.subscription()).toMatchObject({ status: "expired", amountMinor: 50_000n, nextTerms: null });
    await renewSubscription(other.ctx, { subscriptionId: other.subscriptionId, idempotencyKey: "renew-0001" });
    expect((await other.invoices()).at(-1)).toBe("reactivation open 50000");
    await pay(other);
    await other.provision();
    await reconcileChange(other.core.ctx, other.instanceId);
    await settle(other);
    expect(await other.instance()).toMatchObject({ planId: (await other.plan("small")).id });
  });

  test("an app that did not come up in its new shape keeps the old one, at the new price, and is tried again a day later by the sweep", async () => {
    await using app = await paidApp("large");
    await change(app, "small", "period_end", await preview(app, "small", "period_end"));
    await after(app, 24 * dayMs);
    await pay(app);
    await after(app, 6 * dayMs);
    const large = await app.instance();
    const changeId = await newest(app);
    await app.look(changeId);
    await app.look(changeId);
    app.core.clock.set(addMs(app.core.clock.now(), hourMs));
    await failOverdueOperations(app.core.ctx);
    await reconcileChange(app.core.ctx, app.instanceId);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["resize failed OPERATION_FAILED"]);
    expect(await app.instance()).toMatchObject({ planId: large.planId });
    expect((await getSubscription(app.ctx, app.subscriptionId)).subscription.amountMinor).toBe(50_000n);
    await app.core.database.drizzle.execute("delete from graphile_worker._private_jobs");
    expect(await sweepChanges(app.core.ctx)).toMatchObject({ due: 0 });

    // Whatever the catalog says by then.
    await applyPlans(app.core.ctx, {
      plans: [
        { slug: "free", amount: "0" },
        { slug: "small", amount: "90000" },
      ],
    });
    app.core.clock.set(addMs(app.core.clock.now(), dayMs));
    expect(await sweepChanges(app.core.ctx)).toMatchObject({ due: 1 });
    await reconcileChange(app.core.ctx, app.instanceId);
    await settle(app);
    expect((await app.changes()).at(-1)).toBe("resize executed");
    expect(await app.subscription()).toMatchObject({ amountMinor: 50_000n, reshapeDueAt: null });
  });
});

async function newest(app: TestApp): Promise<string> {
  const [row] = await app.core.database.drizzle.execute<{ id: string }>(
    `select id from instance_changes where instance_id = '${app.instanceId}' order by id desc limit 1`,
  );
  if (row === undefined) throw new Error("There is no change.");
  return row.id;
}

test("who may not order makes no app dearer, in none of the ways", async () => {
  await using app = await paidApp("small");
  const developer = app.ctx.as(userActor(app.ctx.ids.next(), "developer"));
  const dearer = await preview(app, "large", "now");
  const attempt = { subscriptionId: app.subscriptionId, planId: (await app.plan("large")).id, moment: "now" } as const;
  const { at, priceKey } = dearer;
  const change = changePlan(developer, { ...attempt, at, priceKey, idempotencyKey: app.ctx.ids.next() });
  await expect(change).rejects.toMatchObject({ code: "FORBIDDEN" });

  const request = { kind: "resize", planId: attempt.planId } as const;
  const planned = await planChange(developer, {
    instanceId: app.instanceId,
    request,
    idempotencyKey: app.ctx.ids.next(),
  });
  await app.look(planned.change.id);
  const { hash } = (await app.change(planned.change.id)).change;
  const approve = { changeId: planned.change.id, hash: hash ?? "", idempotencyKey: app.ctx.ids.next() };
  await expect(executePlan(developer, approve)).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect((await app.change(planned.change.id)).change.status).toBe("planned");
  expect(await executePlan(app.ctx, approve)).toMatchObject({ change: { status: "awaiting_payment" } });
});
