import { voidInvoice } from "../billing/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { getInstanceRow, isHeldByOperator, placeHold } from "../instances/index.ts";
import { enqueue } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";
import { cancel, recordChange } from "./apply-action.ts";
import { type LoadedSubscription, loadForUpdate, updateSubscription } from "./load-subscription.ts";

export interface RemoveByForce {
  readonly instanceId: string;
  /** For the audit; the customer is not told. */
  readonly reason: string;
  /** For the customer, as it is. */
  readonly message?: string | null;
  /** The app's name, typed: its data is deleted at once. Null: it is kept for what is paid, and for the grace period after it. */
  readonly confirmName: string | null;
  readonly idempotencyKey: string;
}

/**
 * Ends an app for its customer. It stops at once and stays so; its subscription is not renewed, and after grace the data goes. Until then
 * `liftHold` gives it back. With its name typed, subscription and data end now, as when the customer cancels. Throws NOT_FOUND,
 * NAME_MISMATCH, and INVALID_TRANSITION for what has ended or is not paid yet.
 */
export async function removeByForce(ctx: CoreContext, input: RemoveByForce): Promise<void> {
  authorize(ctx.actor, "admin.instances.remove");
  const { idempotencyKey: key, ...wish } = input;
  await once(ctx, { key, procedure: "admin.instances.remove", input: wish }, async (tx) => {
    const { subscriptionId } = await getInstanceRow(tx, wish.instanceId);
    const loaded = await loadForUpdate(tx, subscriptionId);
    if (loaded.subscription.status === "cancelled") throw refuse("The subscription of this app has ended.");
    const { instanceId, reason, confirmName, message = null } = wish;
    const deletesData = confirmName !== null;
    if (deletesData && confirmName !== loaded.instance.name) throw nameMismatch();
    record(tx, {
      type: "instance.removalForced",
      instanceId,
      subscriptionId,
      data: { deletesData, message },
      reason,
    });
    if (deletesData) await cancel(tx, loaded, "operator");
    else await letRunOut(tx, loaded, wish);
    return null;
  });
}

/** Throws INVALID_TRANSITION while an operator holds the app: what they stopped is not paid for anew. */
export async function refuseWhileHeld(tx: Tx, { instance }: LoadedSubscription): Promise<void> {
  if (await isHeldByOperator(tx, instance.id)) throw refuse("The operator has stopped this app.");
}

async function letRunOut(tx: Tx, loaded: LoadedSubscription, { reason, message }: RemoveWish): Promise<void> {
  const { subscription, nextInvoice, instance } = loaded;
  if (subscription.status === "pending") throw refuse("The order is not paid: there is no data that could be kept.");
  // What already ran unpaid is owed. What comes next is not asked for; money that is under way finds its way to the wallet.
  if (nextInvoice?.status === "open" && subscription.status !== "past_due")
    await voidInvoice(tx, nextInvoice, "The operator ends the app.");
  const after = await updateSubscription(tx, subscription, {
    cancelAtPeriodEnd: subscription.status !== "expired",
    nextTerms: null,
  });
  if (after.cancelAtPeriodEnd && !subscription.cancelAtPeriodEnd)
    recordChange(tx, "subscription.cancelScheduled", subscription, after, {
      endsAt: subscription.currentPeriodEnd?.toISOString(),
    });
  await placeHold(tx, instance.id, { kind: "operator", reason, message: message ?? null });
  await enqueue(tx, "subscription:reconcile", { subscriptionId: subscription.id });
}

type RemoveWish = Omit<RemoveByForce, "idempotencyKey">;

function nameMismatch(): DomainError {
  return new DomainError("NAME_MISMATCH", "The name that was typed is not the app's.", {
    issues: [{ path: "confirmName", message: "Type the app's name exactly." }],
  });
}

function refuse(message: string): DomainError {
  return new DomainError("INVALID_TRANSITION", message);
}
