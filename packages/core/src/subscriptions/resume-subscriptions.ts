import { subscriptions } from "@sewa/db/schema";
import { and, asc, eq, ne } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { enqueue } from "../jobs/index.ts";
import { addDays } from "../periods.ts";
import { loadForUpdate, refreshNextDueAt, updateSubscription } from "./load-subscription.ts";
import { leastGraceDays, type SubscriptionRow } from "./subscription.ts";

/**
 * After its organization was parked: whoever could not pay to have an app back gets days in which that can be done, and the
 * job does what has become due. The caller has unparked it in this transaction.
 */
export async function resumeSubscriptions(tx: Tx): Promise<void> {
  const live = await tx.sql
    .select({ id: subscriptions.id })
    .from(subscriptions)
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), ne(subscriptions.status, "cancelled")))
    .orderBy(asc(subscriptions.id));
  for (const { id: subscriptionId } of live) {
    const loaded = await loadForUpdate(tx, subscriptionId);
    const graceEndsAt = prolongedGrace(loaded.subscription, tx.now);
    if (graceEndsAt === null) await refreshNextDueAt(tx, loaded);
    else await updateSubscription(tx, loaded.subscription, { graceEndsAt });
    await enqueue(tx, "subscription:reconcile", { subscriptionId });
  }
}

/** Null where enough of it is left, or none runs. */
function prolongedGrace({ status, graceEndsAt, gracePeriodDays, timeZone }: SubscriptionRow, now: Date): Date | null {
  const least = addDays(now, Math.min(gracePeriodDays, leastGraceDays), timeZone);
  return status === "expired" && graceEndsAt !== null && graceEndsAt < least ? least : null;
}
