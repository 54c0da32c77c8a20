import { totalOf } from "../catalog/index.ts";
import type { SubscriptionRow } from "./subscription.ts";

/** What is rented and for how much. Interval, currency and the dates of the term stay. */
export type SubscriptionTerms = Pick<
  SubscriptionRow,
  "planId" | "priceId" | "amountMinor" | "items" | "gracePeriodDays" | "pastDueDays"
>;

export function termsOf({
  planId,
  priceId,
  amountMinor,
  items,
  gracePeriodDays,
  pastDueDays,
}: SubscriptionRow): SubscriptionTerms {
  return { planId, priceId, amountMinor, items, gracePeriodDays, pastDueDays };
}

/** Those of the period that comes next. */
export function nextTermsOf(subscription: SubscriptionRow): SubscriptionTerms {
  const { nextTerms } = subscription;
  return nextTerms === null ? termsOf(subscription) : { ...nextTerms, amountMinor: totalOf(nextTerms.items) };
}
