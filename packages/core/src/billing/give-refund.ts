import { requireOrganization } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { once } from "../idempotency/index.ts";
import { getTransactionByKey, type TransactionView } from "../ledger/index.ts";
import type { Money } from "../money.ts";
import { authorize } from "../permissions.ts";
import { refundKey } from "./postings.ts";
import { refundPayment, type RefundTarget } from "./refund-payment.ts";

/**
 * An operator gives back a part or all of a payment and says why. What was rented goes on as it does. Of an organization that is
 * parked too: it may be what puts its books right (M29). What a provider has to give back waits until it is unparked.
 */
export async function giveRefund(
  ctx: CoreContext,
  input: Money & {
    readonly paymentId: string;
    readonly target: RefundTarget;
    readonly reason: string;
    readonly idempotencyKey: string;
  },
): Promise<TransactionView> {
  authorize(ctx.actor, "admin.transactions.write");
  await requireOrganization(ctx);
  const { idempotencyKey: key, ...refund } = input;
  const { refundId } = await once(ctx, { key, procedure: "admin.transactions.refund", input: refund }, async (tx) => ({
    refundId: (await refundPayment(tx, refund)).id,
  }));
  return getTransactionByKey(ctx, refundKey(refundId));
}
