import { creditNotes } from "@sewa/db/schema";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import { type CreditNoteRow, formatInvoiceNumber, type InvoiceRow } from "./invoice.ts";
import { nextNumber } from "./next-number.ts";

/** Numbered without gaps in a series of its own, and never changed: the paper on which a refund hangs. */
export async function issueCreditNote(
  tx: Tx,
  invoice: InvoiceRow,
  { amountMinor, reason }: { readonly amountMinor: bigint; readonly reason: string },
): Promise<CreditNoteRow> {
  const series = `${tx.ctx.config.invoiceSeries}-CN-${tx.now.getUTCFullYear()}`;
  const [note] = await tx.sql
    .insert(creditNotes)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      invoiceId: invoice.id,
      series,
      number: await nextNumber(tx, series),
      currency: invoice.currency,
      amountMinor,
      reason,
      customer: invoice.customer,
      issuedAt: tx.now,
    })
    .returning();
  assert(note !== undefined, "an inserted credit note is returned");
  record(tx, {
    type: "creditNote.issued",
    subscriptionId: invoice.subscriptionId,
    subject: { type: "invoice", id: invoice.id },
    data: {
      invoiceId: invoice.id,
      number: formatInvoiceNumber(note),
      amountMinor: amountMinor.toString(),
      currency: invoice.currency,
    },
    reason,
  });
  return note;
}
