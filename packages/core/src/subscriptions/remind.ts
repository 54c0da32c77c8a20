import { subscriptions } from "@sewa/db/schema";
import { and, eq, gt, isNotNull, lte, or } from "drizzle-orm";
import { isParked } from "../accounts/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { findInvoiceOfPeriod } from "../billing/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { notifyOwner } from "../notifications/index.ts";
import { mailFacts } from "./mail-facts.ts";
import { nextPeriodKey, type SubscriptionRow } from "./subscription.ts";

/** Days before the end of a period, and before the deletion, at which the customer is told. */
const expiringDays = [7, 1] as const;
const deletionDays = [7, 1] as const;

/**
 * Tells one organization what comes soon. Runs once a day at its hour, and may run more often: a mail is about one fact
 * and is queued once. Only the nearest of the days is said when several have passed. Nothing ends while it is parked, so
 * then nothing is said.
 */
export async function remindOrganization(ctx: CoreContext): Promise<void> {
  await ctx.transaction(async (tx) => {
    if (await isParked(tx)) return;
    const horizon = addMs(tx.now, Math.max(...expiringDays, ...deletionDays) * dayMs);
    const soon = await tx.sql
      .select()
      .from(subscriptions)
      .where(
        and(
          eq(subscriptions.organizationId, organizationOf(tx)),
          or(
            and(
              eq(subscriptions.status, "active"),
              gt(subscriptions.currentPeriodEnd, tx.now),
              lte(subscriptions.currentPeriodEnd, horizon),
            ),
            // Of one that is past due, the end of its days is what is due next.
            and(
              eq(subscriptions.status, "past_due"),
              gt(subscriptions.nextDueAt, tx.now),
              lte(subscriptions.nextDueAt, horizon),
            ),
            and(
              eq(subscriptions.status, "expired"),
              isNotNull(subscriptions.graceEndsAt),
              gt(subscriptions.graceEndsAt, tx.now),
              lte(subscriptions.graceEndsAt, horizon),
            ),
          ),
        ),
      );
    for (const subscription of soon) {
      const expired = subscription.status === "expired";
      const at = endOf(subscription);
      if (at === null || (!expired && (await isRenewed(tx, subscription)))) continue;
      const days = nearest(expired ? deletionDays : expiringDays, at, tx.now);
      if (days === null) continue;
      const facts = await mailFacts(tx, subscription);
      const about = `${subscription.id}:${at.toISOString()}:${days}`;
      await notifyOwner(
        tx,
        expired
          ? {
              kind: "app_deletion_soon",
              dedupeKey: `app_deletion_soon:${about}`,
              data: { ...facts, deletesAt: at.toISOString() },
            }
          : {
              kind: "app_expiring",
              dedupeKey: `app_expiring:${about}`,
              data: { ...facts, expiresAt: at.toISOString() },
            },
      );
    }
  });
}

/** What comes: the end of what is paid, of the days past due, or of the data. */
function endOf({ status, graceEndsAt, nextDueAt, currentPeriodEnd }: SubscriptionRow): Date | null {
  if (status === "expired") return graceEndsAt;
  return status === "past_due" ? nextDueAt : currentPeriodEnd;
}

/** Paid for what comes next: there is nothing to remind of. */
async function isRenewed(tx: Tx, subscription: SubscriptionRow): Promise<boolean> {
  const next = await findInvoiceOfPeriod(tx, { subscriptionId: subscription.id, ...nextPeriodKey(subscription) });
  return next?.status === "paid";
}

/** The smallest of the days that is not over yet; null while even the first one lies ahead. */
function nearest(days: readonly number[], at: Date, now: Date): number | null {
  const left = (at.getTime() - now.getTime()) / dayMs;
  return days.filter((day) => left <= day).at(-1) ?? null;
}
