import { authorize } from "../permissions.ts";
import { getInvoice, getInvoiceRow, type InvoiceView, restOf } from "../billing/index.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { loadForUpdate } from "./load-subscription.ts";
import { bringsBack, holdRoom, payAndFollow } from "./pay-subscription.ts";
import { enqueue } from "../jobs/index.ts";

/**
 * An operator writes down money that came by bank transfer. All that is left of an open invoice; a reference is booked once.
 * For an expired subscription room is held first: CAPACITY means that nothing was booked.
 */
export async function recordPayment(
  ctx: CoreContext,
  input: {
    readonly invoiceId: string;
    readonly amountMinor: bigint;
    readonly currency: string;
    readonly reference: string;
    readonly idempotencyKey: string;
  },
): Promise<InvoiceView> {
  authorize(ctx.actor, "admin.payments.record");
  const { idempotencyKey: key, ...payment } = input;
  await once(ctx, { key, procedure: "admin.payments.record", input: payment }, async (tx) => {
    const { subscriptionId } = await getInvoiceRow(tx, input.invoiceId);
    const loaded = await loadForUpdate(tx, subscriptionId);
    const { subscription } = loaded;
    const invoice = await getInvoiceRow(tx, input.invoiceId);
    const rest = restOf(invoice);
    if (input.amountMinor !== rest.amountMinor || input.currency !== rest.currency) {
      throw new DomainError("INVALID_INPUT", "The payment has to be what is left of the invoice, in its currency.", {
        issues: [{ path: "amountMinor", message: `Expected ${rest.amountMinor} ${rest.currency}.` }],
      });
    }
    if (bringsBack(subscription, invoice)) await holdRoom(tx, subscription);
    await payAndFollow(tx, loaded, invoice, { ...rest, provider: "manual", reference: input.reference });
    await enqueue(tx, "subscription:reconcile", { subscriptionId });
    return { invoiceId: invoice.id };
  });
  return getInvoice(ctx, input.invoiceId);
}
