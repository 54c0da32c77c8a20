import { unreachable } from "../errors.ts";
import {
  decideSubscription,
  deriveNextDueAt,
  nextPeriod,
  nextPeriodKey,
  type SubscriptionFacts,
  type SubscriptionRow,
  type SubscriptionRules,
} from "./subscription.ts";
import { nextTermsOf } from "./terms.ts";

/** A renewal whose money would be collected, of a subscription as it would be then. */
export interface ForeseenRenewal {
  readonly subscription: SubscriptionRow;
  readonly at: Date;
  /** Its invoice would be opened then; false for the one that is open now. */
  readonly isNew: boolean;
}

export interface Foresight {
  readonly now: Date;
  readonly until: Date;
  /** When the money of the renewal that is open now is collected, the earliest first; none if that will not be. */
  readonly collectsAt: readonly Date[];
}

/** Periods are longer than any time that is looked ahead; a loop beyond this is a defect. */
const maxSteps = 20;

/**
 * What time alone would ask for until then, if nobody cancelled or changed anything: the same decisions, at the times at which they
 * would be made, on rows that are only thought. After each renewal it is told whether its money comes at once; nobody pays later. Pure.
 */
export function* foreseeRenewals(
  facts: SubscriptionFacts,
  rules: SubscriptionRules,
  { now, until, collectsAt }: Foresight,
): Generator<ForeseenRenewal, void, boolean> {
  let current = facts;
  let at = now;
  let collections = collectsAt;
  for (let steps = 0; steps < maxSteps; steps += 1) {
    const dueAt = deriveNextDueAt(current, rules);
    const { subscription, nextInvoice } = current;
    const [collectionAt] = collections;
    if (collectionAt !== undefined && collectionAt <= until && (dueAt === null || collectionAt <= dueAt)) {
      at = later(at, collectionAt);
      const isPaid = yield { subscription, at, isNew: false };
      collections = isPaid ? [] : collections.slice(1);
      if (isPaid && nextInvoice !== null) current = { ...current, nextInvoice: { status: "paid", isBeingPaid: false } };
      continue;
    }
    if (dueAt === null || dueAt > until) return;
    at = later(at, dueAt);
    const action = decideSubscription(current, rules, at);
    if (action === null) return;
    switch (action.type) {
      case "open_renewal": {
        const isPaid = yield { subscription, at, isNew: true };
        current = { ...current, nextInvoice: { status: isPaid ? "paid" : "open", isBeingPaid: false } };
        break;
      }
      case "become_past_due":
        current = { ...current, subscription: { ...subscription, status: "past_due", pastDueAt: at } };
        break;
      case "advance":
        current = { ...current, subscription: advanced(subscription), nextInvoice: null };
        break;
      // What begins a term was paid for by hand, and what ended is asked for nothing.
      case "activate":
      case "reactivate":
      case "expire":
      case "cancel":
      case "purge":
      case "settle_usage":
        return;
      default:
        return unreachable(action);
    }
  }
  throw new Error(`Broken invariant: subscription ${facts.subscription.id} does not come to rest`);
}

function later(one: Date, other: Date): Date {
  return other > one ? other : one;
}

/** In its next period, whose invoice is paid. */
export function advanced(subscription: SubscriptionRow): SubscriptionRow {
  const { start, end } = nextPeriod(subscription);
  const { periodIndex } = nextPeriodKey(subscription);
  return {
    ...subscription,
    ...nextTermsOf(subscription),
    nextTerms: null,
    status: "active",
    periodIndex,
    currentPeriodStart: start,
    currentPeriodEnd: end,
    pastDueAt: null,
  };
}
