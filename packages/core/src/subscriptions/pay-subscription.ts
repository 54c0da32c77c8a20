import { type InvoiceRow, type NewPayment, payInvoice, type PaymentRow } from "../billing/index.ts";
import { holdCapacity } from "../capacity/index.ts";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { lockInstanceOfSubscription, setDesired } from "../instances/index.ts";
import { periodAt } from "../periods.ts";
import { applyAction } from "./apply-action.ts";
import { factsOf, type LoadedSubscription, loadForUpdate, refreshNextDueAt } from "./load-subscription.ts";
import { decideSubscription, type SubscriptionRow } from "./subscription.ts";

/** What has been given up at the expiry is promised again before money is taken; CAPACITY if there is no room. */
export async function holdRoom(tx: Tx, subscription: SubscriptionRow): Promise<void> {
  // Locked first: a look that settles the stop at this very moment would give away the room that is taken here.
  const { instance } = await lockInstanceOfSubscription(tx, subscription.id);
  const { id: instanceId, limits, nodePool } = instance;
  const demand = { cpuMillis: limits.cpuRequestMillis, memoryBytes: limits.memoryRequestBytes };
  await holdCapacity(tx, { instanceId, pool: nodePool, demand });
}

/** The same for money that has come and cannot be refused: false where there is no room, and nothing has changed then. */
export async function tryHoldRoom(tx: Tx, subscription: SubscriptionRow): Promise<boolean> {
  try {
    await tx.sql.transaction((savepoint) => holdRoom({ ...tx, sql: savepoint }, subscription));
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === "CAPACITY") return false;
    throw error;
  }
}

/** Holds room for an app that is stopped for want of money, while money for it is on its way; CAPACITY if there is none. */
export async function reserveRoom(tx: Tx, subscription: SubscriptionRow): Promise<void> {
  const { instance } = await lockInstanceOfSubscription(tx, subscription.id);
  await setDesired(tx, instance, { phase: instance.desiredPhase, releasesCapacity: false });
  await holdRoom(tx, subscription);
}

/** The money did not come: what was reserved goes back, unless something else keeps the app by now. */
export async function giveRoomBack(tx: Tx, subscription: SubscriptionRow): Promise<void> {
  if (subscription.status !== "expired") return;
  const { instance } = await lockInstanceOfSubscription(tx, subscription.id);
  await setDesired(tx, instance, { phase: instance.desiredPhase, releasesCapacity: true });
}

/** What a change asks for, or what was used, is of a time that ran: paying it brings no app back, so it needs no room. */
export function bringsBack(subscription: SubscriptionRow, { reason }: InvoiceRow): boolean {
  return subscription.status === "expired" && reason !== "change" && reason !== "usage";
}

/** Books the payment and lets everything follow from it that follows at once, in the same transaction. */
export async function payAndFollow(
  tx: Tx,
  { subscription, instance }: Pick<LoadedSubscription, "subscription" | "instance">,
  invoice: InvoiceRow,
  payment: NewPayment,
): Promise<PaymentRow> {
  const { interval, timeZone } = subscription;
  const period = invoice.periodStart === null ? { period: periodAt(tx.now, interval, timeZone, 0) } : {};
  const row = await payInvoice(tx, invoice, { ...payment, ...period });
  if (invoice.reason === "change") await enqueue(tx, "change:reconcile", { instanceId: instance.id });
  await followUp(tx, subscription.id);
  return row;
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
