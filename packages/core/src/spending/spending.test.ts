import { instances, notifications } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { addMs, dayMs, hourMs } from "../clock.ts";
import { startInstance } from "../instances/index.ts";
import { reconcileSubscription } from "../subscriptions/index.ts";
import { provisionOnce, observations } from "../testing/fake-world.ts";
import { givenCustomer } from "../testing/given.ts";
import { givenMeteredApp, type MeteredApp, payOpen } from "../testing/metered.ts";
import { rateUsage } from "../usage/index.ts";
import { getCurrentUsage, getSpendingLimits, getUsageHistory, setSpendingLimits, watchSpending } from "./index.ts";

const start = new Date("2026-03-02T03:00:00Z");
const after = (days: number, hours = 0): Date => addMs(start, days * dayMs + hours * hourMs);
const usage = `[{ meter: cpu, amount: "500", included: "10" }]`;

async function goTo({ core }: MeteredApp, moment: Date): Promise<void> {
  core.clock.set(moment);
  await rateUsage(core.ctx);
  await watchSpending(core.ctx);
}

const mails = async ({ core }: MeteredApp) =>
  (await core.database.drizzle.select().from(notifications))
    .map(({ kind }) => kind)
    .filter((kind) => kind.startsWith("usage_"));
const desired = async ({ core }: MeteredApp) => (await core.database.drizzle.select().from(instances))[0]!.desiredPhase;

test("alerts are told once, and at the cap the app is stopped, whoever starts it, until the cap is raised or the next period begins", async () => {
  await using app = await givenMeteredApp({ usage });
  const { core, ctx, instanceId, subscriptionId } = app;
  await setSpendingLimits(ctx, { subscriptionId, alertAmounts: [2_000n, 1_000n, 9_000n], capMinor: 4_000n });
  expect(await getSpendingLimits(ctx, subscriptionId)).toMatchObject({
    alertAmounts: [1_000n, 2_000n, 9_000n],
    capMinor: 4_000n,
  });
  await app.run(start, 25);
  await goTo(app, after(2));
  await goTo(app, after(2, 1));
  expect([await mails(app), await desired(app)]).toEqual([["usage_alert"], "running"]);

  await app.run(after(2), 15);
  await goTo(app, after(3));
  await goTo(app, after(3, 1));
  expect([await mails(app), await desired(app)]).toEqual([["usage_alert", "usage_alert", "usage_capped"], "stopped"]);
  await provisionOnce(core.ctx, instanceId, observations.stopped);
  await expect(startInstance(ctx, { instanceId, idempotencyKey: "start-001" })).rejects.toMatchObject({
    code: "SPENDING_CAPPED",
  });
  expect((await getCurrentUsage(ctx, subscriptionId)).cappedAt).toEqual(after(3));

  // Raised to what is above: it runs again. Lowered once more: stopped at once.
  await setSpendingLimits(ctx, { subscriptionId, alertAmounts: [], capMinor: 6_000n });
  expect(await desired(app)).toBe("running");
  await provisionOnce(core.ctx, instanceId);
  await setSpendingLimits(ctx, { subscriptionId, alertAmounts: [], capMinor: 5_000n });
  expect(await desired(app)).toBe("stopped");
  await setSpendingLimits(ctx, { subscriptionId, alertAmounts: [], capMinor: null });
  expect(await desired(app)).toBe("running");
});

test("the next period begins with nothing spent, so the app runs again", async () => {
  await using app = await givenMeteredApp({ usage: `[{ meter: running, amount: "1", per: "1" }]` });
  const { core, ctx, subscriptionId } = app;
  await setSpendingLimits(ctx, { subscriptionId, alertAmounts: [], capMinor: 10n });
  await app.run(start, 24);
  await goTo(app, after(2));
  expect(await desired(app)).toBe("stopped");
  core.clock.set(after(23));
  await reconcileSubscription(core.ctx, subscriptionId);
  await payOpen(app);
  expect(await desired(app)).toBe("stopped");
  core.clock.set(after(30));
  await reconcileSubscription(core.ctx, subscriptionId);
  await watchSpending(core.ctx);
  expect(await desired(app)).toBe("running");
});

test("current use says what a period comes to and what it will, history says each day on the organization's clock", async () => {
  await using app = await givenMeteredApp({ usage });
  const { core, ctx, subscriptionId } = app;
  await app.run(start, 72);
  await goTo(app, after(3, 2));
  core.clock.set(after(3));
  expect(await getCurrentUsage(ctx, subscriptionId)).toMatchObject({
    period: { start, end: after(30) },
    meters: [
      {
        meter: "cpu",
        quantity: 36n * 3_600_000n,
        amountMinor: 13_000n,
        projectedQuantity: 360n * 3_600_000n,
        projectedAmountMinor: 175_000n,
      },
    ],
    totalMinor: 13_000n,
    projectedTotalMinor: 175_000n,
    cappedAt: null,
  });
  // Ten in the morning in Jakarta: the first day has fourteen hours.
  const { days, timeZone } = await getUsageHistory(ctx, { subscriptionId, from: "2026-03-02", to: "2026-03-03" });
  expect(timeZone).toBe("Asia/Jakarta");
  expect(days.map(({ day, meter, quantity }) => [day, meter, quantity])).toEqual([
    ["2026-03-02", "cpu", 7n * 3_600_000n],
    ["2026-03-03", "cpu", 12n * 3_600_000n],
  ]);
  await expect(getUsageHistory(ctx, { subscriptionId, from: "2025-01-01", to: "2026-03-03" })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
  const { ctx: stranger } = await givenCustomer(core.ctx);
  const notFound = { code: "NOT_FOUND" };
  await expect(getCurrentUsage(stranger, subscriptionId)).rejects.toMatchObject(notFound);
  await expect(getUsageHistory(stranger, { subscriptionId })).rejects.toMatchObject(notFound);
  await expect(getSpendingLimits(stranger, subscriptionId)).rejects.toMatchObject(notFound);
  await expect(setSpendingLimits(stranger, { subscriptionId, alertAmounts: [], capMinor: 1n })).rejects.toMatchObject(
    notFound,
  );
});
