import { authorize } from "../permissions.ts";
import type { CoreContext } from "../context.ts";
import { DomainError, unreachable } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import { totalOfLines } from "../billing/index.ts";
import { nothingToPay } from "./apply-action.ts";
import { draftInvoice, openDraft } from "./draft-invoice.ts";
import { loadForUpdate, type LoadedSubscription, updateSubscription } from "./load-subscription.ts";
import { holdRoom, payAndFollow } from "./pay-subscription.ts";
import { toSubscriptionView } from "./queries.ts";
import { refuseWhileHeld } from "./remove-by-force.ts";
import type { SubscriptionView } from "./queries.ts";

/**
 * Asks for the next period, or for a new term when the subscription has expired. What costs nothing is paid at once.
 * Otherwise the invoice is open afterwards and the next period begins when its money has come.
 */
export async function renewSubscription(
  ctx: CoreContext,
  input: { readonly subscriptionId: string; readonly idempotencyKey: string },
): Promise<SubscriptionView> {
  authorize(ctx.actor, "subscription.renew");
  const { subscriptionId, idempotencyKey: key } = input;
  return once(ctx, { key, procedure: "subscriptions.renew", input: { subscriptionId } }, async (tx) => {
    const loaded = await loadForUpdate(tx, subscriptionId);
    refuseUnlessRenewable(loaded, tx.now);
    const { subscription } = loaded;
    if (subscription.status === "expired") await refuseWhileHeld(tx, loaded);
    if (subscription.isChanging) {
      throw new DomainError("OPERATION_IN_PROGRESS", "The app is being changed. Renew it when that has ended.", {
        retryAfterSeconds: 15,
      });
    }
    // Room is held before money is taken; for what costs something that is when the money comes.
    const next = loaded.nextInvoice ?? (await draftInvoice(tx, subscription));
    const totalMinor = "status" in next ? next.totalMinor : totalOfLines(next.lines);
    if (subscription.status === "expired" && totalMinor === 0n) await holdRoom(tx, subscription);
    const invoice = "status" in next ? next : await openDraft(tx, next);
    if (loaded.nextInvoice === null) await updateSubscription(tx, subscription, {});
    if (invoice.totalMinor === 0n) await payAndFollow(tx, loaded, invoice, nothingToPay(invoice));
    else await enqueue(tx, "invoice:collect", { invoiceId: invoice.id });
    return toSubscriptionView(tx, subscriptionId);
  });
}

function refuseUnlessRenewable({ subscription, nextInvoice }: LoadedSubscription, now: Date): void {
  switch (subscription.status) {
    case "active":
    case "past_due":
      if (nextInvoice?.status === "paid") throw new DomainError("ALREADY_RENEWED", "The next period is paid already.");
      if (subscription.cancelAtPeriodEnd) {
        throw new DomainError(
          "INVALID_TRANSITION",
          "The subscription ends with this period. Undo the cancellation first.",
        );
      }
      return;
    case "expired":
      if (subscription.graceEndsAt !== null && now >= subscription.graceEndsAt) {
        throw new DomainError("INVALID_TRANSITION", "The grace period is over.");
      }
      return;
    case "pending":
      throw new DomainError("INVALID_TRANSITION", "The order is not paid yet.");
    case "cancelled":
      throw new DomainError("INVALID_TRANSITION", "The subscription is cancelled.");
    default:
      unreachable(subscription.status);
  }
}
