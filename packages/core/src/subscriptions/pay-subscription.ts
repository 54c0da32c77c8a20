import { type InvoiceRow, payInvoice } from "../billing/index.ts";
import { holdCapacity } from "../capacity/index.ts";
import type { Tx } from "../context.ts";
import { lockInstanceOfSubscription } from "../instances/index.ts";
import { periodAt } from "../periods.ts";
import { applyAction } from "./apply-action.ts";
import { factsOf, loadForUpdate, refreshNextDueAt } from "./load-subscription.ts";
import { decideSubscription, type SubscriptionRow } from "./subscription.ts";

/** What has been given up at the expiry is promised again before money is taken; CAPACITY if there is no room. */
export async function holdRoom(tx: Tx, subscription: SubscriptionRow): Promise<void> {
  // Locked first: a look that settles the stop at this very moment would give away the room that is taken here.
  const { instance } = await lockInstanceOfSubscription(tx, subscription.id);
  const { id: instanceId, limits, nodePool } = instance;
  const demand = { cpuMillis: limits.cpuRequestMillis, memoryBytes: limits.memoryRequestBytes };
  await holdCapacity(tx, { instanceId, pool: nodePool, demand });
}

/** Books the payment and lets everything follow from it that follows at once, in the same transaction. */
export async function payAndFollow(
  tx: Tx,
  subscription: SubscriptionRow,
  invoice: InvoiceRow,
  reference: string | null,
): Promise<void> {
  const { totalMinor: amountMinor, currency } = invoice;
  const { interval, timeZone } = subscription;
  const period = invoice.periodStart === null ? { period: periodAt(tx.now, interval, timeZone, 0) } : {};
  await payInvoice(tx, invoice, { amountMinor, currency, reference, ...period });
  await followUp(tx, subscription.id);
}

/** One step, if one is due. Bounded on purpose: the job does the rest, a transaction for each. */
export async function followUp(tx: Tx, subscriptionId: string): Promise<boolean> {
  const loaded = await loadForUpdate(tx, subscriptionId);
  const action = decideSubscription(factsOf(loaded), tx.ctx.config, tx.now);
  if (action === null) {
    await refreshNextDueAt(tx, loaded);
    return false;
  }
  await applyAction(tx, loaded, action);
  return true;
}
