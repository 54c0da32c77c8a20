import { authorize } from "../permissions.ts";
import { getInvoice, getInvoiceRow, type InvoiceView, restOf } from "../billing/index.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { loadForUpdate } from "./load-subscription.ts";
import { holdRoom, payAndFollow } from "./pay-subscription.ts";
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
    const { subscription, instance } = await loadForUpdate(tx, subscriptionId);
    const invoice = await getInvoiceRow(tx, input.invoiceId);
    const rest = restOf(invoice);
    if (input.amountMinor !== rest.amountMinor || input.currency !== rest.currency) {
      throw new DomainError("INVALID_INPUT", "The payment has to be what is left of the invoice, in its currency.", {
        issues: [{ path: "amountMinor", message: `Expected ${rest.amountMinor} ${rest.currency}.` }],
      });
    }
    // What a change asks for is a part of a period that ran; it brings no app back.
    if (subscription.status === "expired" && invoice.reason !== "change") await holdRoom(tx, subscription);
    await payAndFollow(tx, subscription, invoice, { ...rest, provider: "manual", reference: input.reference });
    await enqueue(tx, "subscription:reconcile", { subscriptionId });
    if (invoice.reason === "change") await enqueue(tx, "change:reconcile", { instanceId: instance.id });
    return { invoiceId: invoice.id };
  });
  return getInvoice(ctx, input.invoiceId);
}
