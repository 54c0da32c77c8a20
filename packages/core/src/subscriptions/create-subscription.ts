import { subscriptions } from "@sewa/db/schema";
import { type Plan, type PricedItem, totalOf } from "../catalog/index.ts";
import { addMs, hourMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import type { SubscriptionRow } from "./subscription.ts";

/** Pending, with the terms of the plan as they are now: later changes of the catalog do not touch it. */
export async function createSubscription(
  tx: Tx,
  input: {
    readonly plan: Plan;
    readonly priceId: string;
    readonly currency: string;
    readonly items: readonly PricedItem[];
    readonly timeZone: string;
    /** With the trial of its price, if that has one. */
    readonly withTrial: boolean;
  },
): Promise<SubscriptionRow> {
  const { plan, priceId, currency, items, timeZone, withTrial } = input;
  const [row] = await tx.sql
    .insert(subscriptions)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      planId: plan.id,
      priceId,
      trialPriceId: withTrial ? priceId : null,
      status: "pending",
      currency,
      amountMinor: totalOf(items),
      items,
      interval: plan.interval,
      timeZone,
      gracePeriodDays: plan.gracePeriodDays,
      pastDueDays: plan.pastDueDays,
      nextDueAt: addMs(tx.now, tx.ctx.config.orderTtlHours * hourMs),
      orderedAt: tx.now,
    })
    .returning();
  assert(row !== undefined, "an inserted subscription is returned");
  return row;
}
