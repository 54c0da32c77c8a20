import { voidInvoice } from "../billing/index.ts";
import type { Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import { type LoadedSubscription, updateSubscription } from "./load-subscription.ts";
import type { SubscriptionRow } from "./subscription.ts";
import { nextTermsOf, type SubscriptionTerms, termsOf } from "./terms.ts";

/**
 * Other terms from the next period on, or null: none after all. An open invoice for it is voided, and the job opens another one. The
 * caller has locked the subscription and made sure that it is active and the next period not paid.
 */
export async function scheduleTerms(
  tx: Tx,
  { subscription, nextInvoice }: LoadedSubscription,
  nextTerms: SubscriptionRow["nextTerms"],
): Promise<void> {
  if (nextInvoice?.status === "open") await voidInvoice(tx, nextInvoice, "The plan of the next period was changed.");
  const after = await updateSubscription(tx, subscription, { nextTerms });
  const { planId, amountMinor } = nextTermsOf(after);
  record(tx, {
    type: nextTerms === null ? "subscription.planUnscheduled" : "subscription.planScheduled",
    subscriptionId: subscription.id,
    data: {
      planId,
      amountMinor: amountMinor.toString(),
      currency: after.currency,
      from: after.currentPeriodEnd?.toISOString(),
    },
  });
  await enqueue(tx, "subscription:reconcile", { subscriptionId: subscription.id });
}

/** What has to be written when the next period begins, or would have: its terms are those of the subscription then. */
export function beginNextTerms(tx: Tx, subscription: SubscriptionRow): Partial<SubscriptionRow> {
  if (subscription.nextTerms === null) return {};
  const terms = nextTermsOf(subscription);
  return { ...terms, nextTerms: null, reshapeDueAt: tx.ctx.clock.now(), ...endTrial(subscription, terms.priceId) };
}

/** Another price ends a trial for good: whoever comes back to the one that was ordered has had it. */
function endTrial({ trialPriceId }: SubscriptionRow, priceId: string): Pick<SubscriptionRow, "trialPriceId"> {
  return { trialPriceId: trialPriceId === priceId ? trialPriceId : null };
}

/**
 * Other terms from now on, on trial: they may be taken back, so the next period is neither asked for nor paid before they
 * stand (`isTrial` false). An open invoice for it asks for the old price and is voided; the job opens the new one. The caller
 * has locked the subscription.
 */
export async function changeTerms(
  tx: Tx,
  { subscription, nextInvoice }: LoadedSubscription,
  terms: SubscriptionTerms,
  { isTrial }: { readonly isTrial: boolean },
): Promise<void> {
  if (nextInvoice?.status === "open") await voidInvoice(tx, nextInvoice, "The plan was changed.");
  const after = await updateSubscription(tx, subscription, { ...terms, isChanging: isTrial });
  record(tx, {
    type: "subscription.planChanged",
    subscriptionId: subscription.id,
    data: { planId: after.planId, amountMinor: after.amountMinor.toString(), currency: after.currency },
    before: termsOf(subscription),
    after: termsOf(after),
  });
  await enqueue(tx, "subscription:reconcile", { subscriptionId: subscription.id });
}

/** The terms stay, whatever they are by now: the next period is asked for again. */
export async function settleTerms(tx: Tx, { subscription }: LoadedSubscription): Promise<void> {
  if (!subscription.isChanging) return;
  await updateSubscription(tx, subscription, { isChanging: false, ...endTrial(subscription, subscription.priceId) });
  await enqueue(tx, "subscription:reconcile", { subscriptionId: subscription.id });
}
