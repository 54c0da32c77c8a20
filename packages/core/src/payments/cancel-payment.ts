import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";
import { isLive, type IntentRow } from "./intent.ts";
import { lockIntent, updateIntent } from "./intent-store.ts";

/**
 * Asks for a payment not to be made any more. The provider has the last word: it may have been paid just now. Of one that has
 * ended without money nothing is changed.
 */
export async function cancelPayment(
  ctx: CoreContext,
  input: { readonly intentId: string; readonly idempotencyKey: string },
): Promise<IntentRow> {
  authorize(ctx.actor, "payment.write");
  const { intentId, idempotencyKey: key } = input;
  return once(ctx, { key, procedure: "payments.cancel", input: { intentId } }, async (tx) => {
    const intent = await lockIntent(tx, intentId);
    if (intent.status === "succeeded") throw new DomainError("INVALID_TRANSITION", "It has been paid.");
    if (!isLive(intent) || intent.cancelRequestedAt !== null) return intent;
    await enqueue(tx, "payment:reconcile", { intentId });
    return updateIntent(tx, intentId, { cancelRequestedAt: ctx.clock.now() });
  });
}
