import { authorize } from "../permissions.ts";
import { voidInvoice } from "../billing/index.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import { cancel, recordChange } from "./apply-action.ts";
import { loadForUpdate, updateSubscription } from "./load-subscription.ts";
import { type SubscriptionView, toSubscriptionView } from "./queries.ts";
import { refuseWhileHeld } from "./remove-by-force.ts";

/** Ends it at once and deletes the data. The customer types the app's name, because nothing brings it back. */
export async function cancelNow(
  ctx: CoreContext,
  input: { readonly subscriptionId: string; readonly confirmName: string; readonly idempotencyKey: string },
): Promise<SubscriptionView> {
  authorize(ctx.actor, "subscription.cancel");
  const { subscriptionId, confirmName, idempotencyKey: key } = input;
  return once(
    ctx,
    { key, procedure: "subscriptions.cancelNow", input: { subscriptionId, confirmName } },
    async (tx) => {
      const loaded = await loadForUpdate(tx, subscriptionId);
      // Asked for twice it is done once, and both are told the same.
      if (loaded.subscription.status === "cancelled") return toSubscriptionView(tx, subscriptionId);
      if (loaded.instance.name !== confirmName) {
        throw new DomainError("NAME_MISMATCH", "The name that was typed is not the app's.", {
          issues: [{ path: "confirmName", message: "Type the app's name exactly." }],
        });
      }
      await cancel(tx, loaded, ctx.actor.type === "operator" ? "operator" : "customer");
      return toSubscriptionView(tx, subscriptionId);
    },
  );
}

/** Stops the renewal: the app keeps running until the period ends, then the grace period protects its data. */
export async function cancelAtPeriodEnd(
  ctx: CoreContext,
  input: { readonly subscriptionId: string; readonly idempotencyKey: string },
): Promise<SubscriptionView> {
  authorize(ctx.actor, "subscription.cancel");
  const { subscriptionId, idempotencyKey: key } = input;
  return once(ctx, { key, procedure: "subscriptions.cancelAtPeriodEnd", input: { subscriptionId } }, async (tx) => {
    const { subscription, nextInvoice } = await loadForUpdate(tx, subscriptionId);
    if (subscription.status !== "active")
      throw new DomainError("INVALID_TRANSITION", `The subscription is ${subscription.status}.`);
    if (subscription.cancelAtPeriodEnd) return toSubscriptionView(tx, subscriptionId);
    if (nextInvoice?.status === "paid") {
      throw new DomainError(
        "ALREADY_RENEWED",
        "The next period is paid already; the end can be set once it has begun.",
      );
    }
    if (nextInvoice?.status === "open") await voidInvoice(tx, nextInvoice, "The customer does not renew.");
    const after = await updateSubscription(tx, subscription, { cancelAtPeriodEnd: true, nextTerms: null });
    recordChange(tx, "subscription.cancelScheduled", subscription, after, {
      endsAt: subscription.currentPeriodEnd?.toISOString(),
    });
    await enqueue(tx, "subscription:reconcile", { subscriptionId });
    return toSubscriptionView(tx, subscriptionId);
  });
}

/** Takes the scheduled end back; the next period's invoice opens again in its time. */
export async function undoCancel(
  ctx: CoreContext,
  input: { readonly subscriptionId: string; readonly idempotencyKey: string },
): Promise<SubscriptionView> {
  authorize(ctx.actor, "subscription.cancel");
  const { subscriptionId, idempotencyKey: key } = input;
  return once(ctx, { key, procedure: "subscriptions.undoCancel", input: { subscriptionId } }, async (tx) => {
    const loaded = await loadForUpdate(tx, subscriptionId);
    const { subscription } = loaded;
    if (subscription.status !== "active" || !subscription.cancelAtPeriodEnd) {
      throw new DomainError("INVALID_TRANSITION", "No cancellation is scheduled.");
    }
    await refuseWhileHeld(tx, loaded);
    const after = await updateSubscription(tx, subscription, { cancelAtPeriodEnd: false });
    recordChange(tx, "subscription.cancelUndone", subscription, after, {});
    await enqueue(tx, "subscription:reconcile", { subscriptionId });
    return toSubscriptionView(tx, subscriptionId);
  });
}
