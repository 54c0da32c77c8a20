import type { Tx } from "../context.ts";
import { returnPeriod } from "../coupons/index.ts";
import { record } from "../events/index.ts";
import { post } from "../ledger/index.ts";
import { lockWallet } from "../wallet/index.ts";
import { closeInvoice } from "./close-invoice.ts";
import type { InvoiceRow } from "./invoice.ts";
import { openingOf, voidingOf, writeOffOf } from "./postings.ts";
import { refundInvoice } from "./refund-payment.ts";
import { releaseUsage } from "../usage/index.ts";

/**
 * Takes back an invoice that nothing was used for. A part that was paid is given back, and so is a coupon's period; use that stood on it
 * is asked for by the next.
 */
export async function voidInvoice(tx: Tx, invoice: InvoiceRow, reason: string): Promise<void> {
  if (invoice.paidMinor > 0n) await lockWallet(tx, invoice.currency);
  await closeInvoice(tx, invoice, "void", { closedAt: tx.now, closeReason: reason });
  await releaseUsage(tx, invoice.id);
  post(tx, voidingOf(invoice));
  await returnPeriod(tx, invoice.id);
  recordClosed(tx, "invoice.voided", invoice, reason);
  if (invoice.paidMinor > 0n) await refundInvoice(tx, invoice, reason);
}

/** Gives up on money for something that was used; what was paid of it stays. */
export async function markUncollectible(tx: Tx, invoice: InvoiceRow, reason: string): Promise<void> {
  await closeInvoice(tx, invoice, "uncollectible", { closedAt: tx.now, closeReason: reason });
  post(tx, openingOf(invoice));
  post(tx, writeOffOf(invoice));
  recordClosed(tx, "invoice.uncollectible", invoice, reason);
}

function recordClosed(
  tx: Tx,
  type: "invoice.voided" | "invoice.uncollectible",
  invoice: InvoiceRow,
  reason: string,
): void {
  record(tx, {
    type,
    subscriptionId: invoice.subscriptionId,
    subject: { type: "invoice", id: invoice.id },
    data: { invoiceId: invoice.id },
    reason,
  });
}
