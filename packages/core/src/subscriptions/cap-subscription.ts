import type { Tx } from "../context.ts";
import { applyPhase, recordChange } from "./apply-action.ts";
import { type LoadedSubscription, updateSubscription } from "./load-subscription.ts";

/**
 * Stops the app, or lets it run again, because of what its use costs: a fact that stands until it is taken back or the next
 * period begins, whatever is renewed, paid or asked for meanwhile. Its data and its place are kept. The caller has locked
 * the subscription.
 */
export async function capSubscription(
  tx: Tx,
  { subscription }: LoadedSubscription,
  { isCapped, data }: { readonly isCapped: boolean; readonly data: Readonly<Record<string, unknown>> },
): Promise<void> {
  if ((subscription.cappedAt !== null) === isCapped) return;
  const after = await updateSubscription(tx, subscription, { cappedAt: isCapped ? tx.now : null });
  recordChange(tx, isCapped ? "subscription.capped" : "subscription.capLifted", subscription, after, data);
  await applyPhase(tx, subscription.id);
}
