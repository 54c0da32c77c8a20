import {
  getInvoice,
  getInvoiceRow,
  type InvoiceRow,
  type InvoiceView,
  type PaymentRow,
  restOf,
} from "../billing/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import type { Money } from "../money.ts";
import { authorize } from "../permissions.ts";
import { keepInWallet, lockWallet } from "../wallet/index.ts";
import { loadForUpdate } from "./load-subscription.ts";
import { bringsBack, holdRoom, payAndFollow } from "./pay-subscription.ts";

/**
 * An operator writes down money that came by bank transfer; a reference is booked once. It has to be all that is left of an open
 * invoice, so that a slip of the pen is refused, unless `amountMayDiffer`: then less pays a part, and what is more goes to the wallet.
 * For an expired subscription that is paid whole room is held first: CAPACITY means that nothing was booked.
 */
export async function recordPayment(
  ctx: CoreContext,
  input: Money & {
    readonly invoiceId: string;
    readonly reference: string;
    readonly amountMayDiffer?: boolean | undefined;
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
    const { amountMinor, surplusMinor } = shareOf(input, invoice, input.amountMayDiffer === true);
    if (surplusMinor > 0n) await lockWallet(tx, input.currency);
    const isWhole = amountMinor === restOf(invoice).amountMinor;
    if (isWhole && bringsBack(subscription, invoice)) await holdRoom(tx, subscription);
    const { currency, reference } = input;
    const money = { amountMinor, surplusMinor, currency, reference };
    const row = await payAndFollow(tx, loaded, invoice, { ...money, provider: "manual" });
    if (surplusMinor > 0n) await keepSurplus(tx, row);
    await enqueue(tx, "subscription:reconcile", { subscriptionId });
    return { invoiceId: invoice.id };
  });
  return getInvoice(ctx, input.invoiceId);
}

/** How much of it is for the invoice, and what is more than that. */
function shareOf(
  { amountMinor, currency }: Money,
  invoice: InvoiceRow,
  mayDiffer: boolean,
): { readonly amountMinor: bigint; readonly surplusMinor: bigint } {
  const rest = restOf(invoice);
  const isFit = amountMinor === rest.amountMinor || (mayDiffer && invoice.status === "open" && amountMinor > 0n);
  if (!isFit || currency !== rest.currency) {
    throw new DomainError("INVALID_INPUT", "The payment has to be what is left of the invoice, in its currency.", {
      issues: [{ path: "amountMinor", message: `Expected ${rest.amountMinor} ${rest.currency}.` }],
    });
  }
  const surplusMinor = amountMinor > rest.amountMinor ? amountMinor - rest.amountMinor : 0n;
  return { amountMinor: amountMinor - surplusMinor, surplusMinor };
}

async function keepSurplus(tx: Tx, { id, currency, invoiceId, surplusMinor: amountMinor }: PaymentRow): Promise<void> {
  const facts = { amountMinor: amountMinor.toString(), currency, invoiceId, why: "overpaid" };
  const source = { type: "payment", id } as const;
  await keepInWallet(tx, { source, key: `payment:${id}:surplus`, amountMinor, currency, facts });
}
