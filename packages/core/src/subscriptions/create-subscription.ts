import { subscriptions } from "@sewa/db/schema";
import type { Plan } from "../catalog/index.ts";
import { addMs, hourMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import type { Money } from "../money.ts";
import type { SubscriptionRow } from "./subscription.ts";

/** Pending, with the terms of the plan as they are now: later changes of the catalog do not touch it. */
export async function createSubscription(
  tx: Tx,
  input: { readonly plan: Plan; readonly priceId: string; readonly money: Money; readonly timeZone: string },
): Promise<SubscriptionRow> {
  const { plan, priceId, money, timeZone } = input;
  const [row] = await tx.sql
    .insert(subscriptions)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      planId: plan.id,
      priceId,
      status: "pending",
      ...money,
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
