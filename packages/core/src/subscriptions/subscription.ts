import type { subscriptions } from "@sewa/db/schema";
import type { Parking } from "../accounts/index.ts";
import { addMs, dayMs, hourMs } from "../clock.ts";
import { unreachable } from "../errors.ts";
import { nextTermsOf, type SubscriptionTerms } from "./terms.ts";
import { addDays, type Period, periodAt } from "../periods.ts";
import type { SubscriptionStatus } from "../instances/index.ts";

export type SubscriptionRow = typeof subscriptions.$inferSelect;
export type CancelReason = NonNullable<SubscriptionRow["cancelReason"]>;

/**
 * pending: ordered and not paid; room is held; the instance is absent. Ends by payment, or after the order's time to live.
 * active: a paid period runs, and so may the instance. Ends with the period unless the next one is paid.
 * past_due: the period is over and not paid; the instance still runs, for the plan's days.
 * expired: nothing is charged and nothing runs; the data is kept until grace ends. Paying opens a new term.
 * cancelled: nothing will be charged again; the instance is removed with its data.
 */
export const subscriptionTransitions = {
  pending: ["active", "cancelled"],
  active: ["past_due", "expired", "cancelled"],
  past_due: ["active", "expired", "cancelled"],
  expired: ["active", "cancelled"],
  cancelled: [],
} as const satisfies Record<SubscriptionStatus, readonly SubscriptionStatus[]>;

export interface SubscriptionFacts {
  readonly subscription: SubscriptionRow;
  /** The live invoice for the period that would come next: the first one while pending, a new term's when expired. */
  readonly nextInvoice: {
    readonly status: "draft" | "open" | "paid" | "uncollectible";
    /** A payment for it is under way, and nobody knows yet what becomes of it. */
    readonly isBeingPaid: boolean;
  } | null;
  /** What a cancelled one still asks for. */
  readonly usageInvoice: { readonly isBeingPaid: boolean } | null;
  readonly instance: { readonly provisioningFailed: boolean; readonly removed: boolean };
  readonly parking: Pick<Parking, "parkedAt" | "unparkedAt">;
}

export interface SubscriptionRules {
  readonly orderTtlHours: number;
  readonly renewalLeadDays: number;
}

/** One step of the life of a subscription. */
export type SubscriptionAction =
  | { readonly type: "activate" }
  | { readonly type: "open_renewal" }
  | { readonly type: "advance" }
  | { readonly type: "become_past_due" }
  | { readonly type: "expire" }
  | { readonly type: "reactivate" }
  | { readonly type: "cancel"; readonly reason: CancelReason }
  | { readonly type: "purge" }
  | { readonly type: "settle_usage" };

/** What has to happen now, or null. Pure: the same facts at the same time give the same answer, however often asked. */
export function decideSubscription(
  facts: SubscriptionFacts,
  rules: SubscriptionRules,
  now: Date,
): SubscriptionAction | null {
  const { subscription, nextInvoice, usageInvoice, instance, parking } = facts;
  // Neither money nor time moves anything; that the cluster has nothing left is a fact and no step.
  if (parking.parkedAt !== null && subscription.status !== "cancelled") return null;
  const paid = nextInvoice?.status === "paid";
  // Money may be on its way: nothing is given up for good before it is known.
  const waits = nextInvoice?.isBeingPaid === true;
  const wasStarted = subscription.status !== "pending" && subscription.status !== "cancelled";
  if (instance.provisioningFailed && wasStarted) return { type: "cancel", reason: "provisioning_failed" };
  switch (subscription.status) {
    case "pending":
      if (paid) return { type: "activate" };
      return now >= orderEnds(facts, rules) && !waits ? { type: "cancel", reason: "order_expired" } : null;
    case "active": {
      const end = currentEnd(subscription);
      if (now < end) {
        const due = nextInvoice === null && asksForNext(subscription) && now >= renewalOpens(subscription, rules);
        return due ? { type: "open_renewal" } : null;
      }
      if (paid) return { type: "advance" };
      const runsOn = subscription.pastDueDays > 0 || now < reactionEnds(facts);
      // What the next period costs is known when the change has ended, minutes from now.
      if (subscription.isChanging && runsOn) return null;
      if (subscription.cancelAtPeriodEnd || !runsOn) return { type: "expire" };
      return nextInvoice === null ? { type: "open_renewal" } : { type: "become_past_due" };
    }
    case "past_due":
      if (paid) return { type: "advance" };
      return now >= pastDueEnds(facts) ? { type: "expire" } : null;
    case "expired":
      if (paid) return { type: "reactivate" };
      return subscription.graceEndsAt !== null && now >= subscription.graceEndsAt && !waits
        ? { type: "cancel", reason: "grace_over" }
        : null;
    case "cancelled":
      if (instance.removed && subscription.purgedAt === null) return { type: "purge" };
      if (parking.parkedAt !== null || subscription.closingDueAt === null || now < subscription.closingDueAt)
        return null;
      return usageInvoice?.isBeingPaid === true ? null : { type: "settle_usage" };
    default:
      return unreachable(subscription.status);
  }
}

/** When time alone will bring the next step; null when it never will. */
export function deriveNextDueAt(
  facts: Pick<SubscriptionFacts, "subscription" | "nextInvoice" | "parking">,
  rules: SubscriptionRules,
): Date | null {
  const { subscription, nextInvoice } = facts;
  switch (subscription.status) {
    case "pending":
      return orderEnds(facts, rules);
    case "active":
      return nextInvoice === null && asksForNext(subscription)
        ? renewalOpens(subscription, rules)
        : currentEnd(subscription);
    case "past_due":
      return pastDueEnds(facts);
    case "expired":
      return subscription.graceEndsAt;
    case "cancelled":
      return subscription.closingDueAt;
    default:
      return unreachable(subscription.status);
  }
}

/** Term and index of the period that comes next. */
export function nextPeriodKey(subscription: SubscriptionRow): {
  readonly termNumber: number;
  readonly periodIndex: number;
} {
  switch (subscription.status) {
    case "pending":
    case "expired":
    case "cancelled":
      return { termNumber: subscription.termNumber + 1, periodIndex: 0 };
    case "active":
    case "past_due":
      return { termNumber: subscription.termNumber, periodIndex: subscription.periodIndex + 1 };
    default:
      return unreachable(subscription.status);
  }
}

/** The period after the current one, counted from the anchor of the term. */
export function nextPeriod(subscription: SubscriptionRow): Period {
  const { billingAnchorAt, interval, timeZone, periodIndex } = subscription;
  if (billingAnchorAt === null) throw new Error("Broken invariant: a running subscription has an anchor");
  return periodAt(billingAnchorAt, interval, timeZone, periodIndex + 1);
}

/** What a renewal asks for: the next period at the price of the subscription, due when that begins. */
export function renewalTermsOf(subscription: SubscriptionRow): SubscriptionTerms & {
  readonly period: Period;
  readonly dueAt: Date;
} {
  const period = nextPeriod(subscription);
  return { ...nextTermsOf(subscription), period, dueAt: period.start };
}

/** After a cancellation: samples may come for a day, and the last hour has to end and be rated. */
export const lateUsageMs: number = 26 * hourMs;
/** For so long what was used before a cancellation is asked for. */
export const usagePaymentDays = 30;

/** Days that are left to react, however late the expiry was noticed, and from when money can be taken again. */
export const leastGraceDays = 7;

/** When it should have expired, not being paid. */
export function expiryDueAt(subscription: SubscriptionRow): Date {
  return subscription.status === "past_due" ? daysPastDue(subscription) : currentEnd(subscription);
}

function asksForNext({ cancelAtPeriodEnd, isChanging }: SubscriptionRow): boolean {
  return !cancelAtPeriodEnd && !isChanging;
}

type DatedFacts = Pick<SubscriptionFacts, "subscription" | "parking">;

/** An order could not be paid while its organization was parked. */
function orderEnds({ subscription, parking }: DatedFacts, rules: SubscriptionRules): Date {
  return addMs(laterOf(subscription.orderedAt, parking.unparkedAt), rules.orderTtlHours * hourMs);
}

/** Until then nothing is stopped because of money that could not be taken before. */
function reactionEnds({ subscription, parking }: DatedFacts): Date {
  const { unparkedAt } = parking;
  return unparkedAt === null ? currentEnd(subscription) : addDays(unparkedAt, leastGraceDays, subscription.timeZone);
}

function currentEnd({ currentPeriodEnd }: SubscriptionRow): Date {
  if (currentPeriodEnd === null) throw new Error("Broken invariant: a running subscription has a period");
  return currentPeriodEnd;
}

function renewalOpens(subscription: SubscriptionRow, rules: SubscriptionRules): Date {
  return addMs(currentEnd(subscription), -rules.renewalLeadDays * dayMs);
}

function pastDueEnds(facts: DatedFacts): Date {
  return laterOf(daysPastDue(facts.subscription), reactionEnds(facts));
}

function daysPastDue(subscription: SubscriptionRow): Date {
  return addDays(currentEnd(subscription), subscription.pastDueDays, subscription.timeZone);
}

function laterOf(date: Date, other: Date | null): Date {
  return other !== null && other > date ? other : date;
}
