import { randomInt } from "node:crypto";
import { capacityHolds, instanceChanges, invoices } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, hourMs, minuteMs } from "../clock.ts";
import { DomainError } from "../errors.ts";
import { restartInstance } from "../instances/index.ts";
import {
  cancelAtPeriodEnd,
  cancelNow,
  reconcileSubscription,
  recordPayment,
  renewSubscription,
} from "../subscriptions/index.ts";
import { type ChangeView, loadPreview, planChange, reconcileChange, recordPreview, sweepChanges } from "./index.ts";
import { givenApp, type TestApp, usualPreview } from "./test-changes.ts";

async function payAll(app: TestApp): Promise<void> {
  const open = await app.core.database.drizzle
    .select()
    .from(invoices)
    .where(and(eq(invoices.subscriptionId, app.subscriptionId), eq(invoices.status, "open")));
  for (const { id, organizationId, totalMinor, currency } of open) {
    await recordPayment(app.core.ctx.forOrganization(organizationId), {
      invoiceId: id,
      amountMinor: totalMinor,
      currency,
      reference: `BANK-${id}`,
      idempotencyKey: `pay-${id}`,
    });
  }
}

const rounds = 6 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** A worker's look at everything that waits for one. */
async function lookAtAll(app: TestApp): Promise<void> {
  for (const { id } of await app.core.database.drizzle.select().from(instanceChanges)) {
    if ((await loadPreview(app.core.ctx, id)) !== null) await recordPreview(app.core.ctx, id, usualPreview);
  }
}

/** What may happen at the same moment as an approval. */
function rivals(app: TestApp, plan: ChangeView): readonly (readonly [string, () => Promise<unknown>])[] {
  const { ctx, instanceId, subscriptionId } = app;
  const idempotencyKey = ctx.ids.next();
  return [
    ["approve", () => app.approve(plan)],
    ["approve again", () => app.approve(plan)],
    ["look", () => lookAtAll(app)],
    ["pay", () => payAll(app)],
    ["provision", () => app.provision()],
    ["follow", () => reconcileChange(app.core.ctx, instanceId)],
    ["sweep", () => sweepChanges(app.core.ctx)],
    ["time", () => reconcileSubscription(app.core.ctx, subscriptionId)],
    ["renew", () => renewSubscription(ctx, { subscriptionId, idempotencyKey })],
    ["restart", () => restartInstance(ctx, { instanceId, idempotencyKey })],
    ["plan", () => planChange(ctx, { instanceId, request: { kind: "deprovision" }, idempotencyKey })],
    ["cancel at the end", () => cancelAtPeriodEnd(ctx, { subscriptionId, idempotencyKey })],
    ["cancel", () => cancelNow(ctx, { subscriptionId, confirmName: "Status page", idempotencyKey })],
  ];
}

/** Nothing new is asked for; what was begun comes to its end. */
async function comeToRest(app: TestApp): Promise<void> {
  app.core.clock.set(addMs(app.core.clock.now(), 25 * hourMs));
  for (let round = 0; round < 4; round += 1) {
    await lookAtAll(app);
    await reconcileSubscription(app.core.ctx, app.subscriptionId);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
  }
}

test(
  "whatever happens at the same moment as an approval, nothing waits in a circle, no room is lost and the money is told once",
  { timeout: 240_000 },
  async () => {
    const seed = randomInt(2 ** 31);
    let state = seed;
    const roll = (sides: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * sides);
    };
    await using house = await givenApp();
    for (let round = 0; round < rounds; round += 1) {
      await using app = await givenApp("small", house.core);
      await payAll(app);
      await app.provision();
      const { currentPeriodEnd: end } = await app.subscription();
      // Within the period, when the next one is asked for, or at its very end.
      const leads = [20 * 24 * hourMs, 6 * 24 * hourMs, minuteMs];
      app.core.clock.set(addMs(end!, -leads[roll(leads.length)]!));
      await reconcileSubscription(app.core.ctx, app.subscriptionId);
      const size = (["large", "free", "roomy"] as const)[roll(3)]!;
      const plan = await app.resize(size);
      const story: string[] = [`seed ${seed}`, size];
      for (let moment = 0; moment < 4; moment += 1) {
        const all = rivals(app, plan);
        const chosen = Array.from({ length: 3 }, () => all[roll(all.length)]!);
        // Each once: there is one worker here.
        const together = [...new Set([all[moment === 0 ? 0 : roll(6)]!, ...chosen])];
        story.push(together.map(([name]) => name).join(" | "));
        const answers = await Promise.allSettled(together.map(([, act]) => act()));
        const broken = answers.filter(
          (answer) => answer.status === "rejected" && !(answer.reason instanceof DomainError),
        );
        expect({ story, broken }).toEqual({ story, broken: [] });
      }
      await comeToRest(app);

      const [subscription, instance] = [await app.subscription(), await app.instance()];
      const open = (await app.changes()).filter((line) => /planning|planned|awaiting|approved|executing/.test(line));
      const asked = (await app.invoices()).filter((line) => line.startsWith("change open"));
      expect({ story, open, asked, isChanging: subscription.isChanging }).toEqual({
        story,
        open: [],
        asked: [],
        isChanging: false,
      });
      const holds = instance.desiredPhase === "running" && [instance.limits.cpuRequestMillis];
      expect({ story, held: (await app.held())?.slice(0, 1) ?? false }).toEqual({ story, held: holds });
      // The price and the size go together, whichever of them it has become.
      expect({ story, planId: subscription.planId }).toEqual({ story, planId: instance.planId });
      app.core.clock.set(addMs(end!, -30 * 24 * hourMs));
    }
    const { drizzle } = house.core.database;
    const holds = await drizzle.select().from(capacityHolds).where(eq(capacityHolds.pool, "default"));
    expect((await house.pool())[0]).toBe(holds.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0));
  },
);
