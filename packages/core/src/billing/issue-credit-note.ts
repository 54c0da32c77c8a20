import { creditNotes, creditNoteTaxes, invoices, invoiceTaxes } from "@sewa/db/schema";
import { and, asc, eq, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import { shareOut, taxWithin } from "./credited-tax.ts";
import { type CreditNoteRow, formatInvoiceNumber, type InvoiceRow } from "./invoice.ts";
import { nextNumber, yearOf } from "./next-number.ts";

/**
 * Numbered without gaps in a series of its own, and never changed: the paper on which a refund hangs. It takes back its share of the
 * invoice's taxes. The caller has locked the invoice's row.
 */
export async function issueCreditNote(
  tx: Tx,
  invoice: InvoiceRow,
  { amountMinor, reason }: { readonly amountMinor: bigint; readonly reason: string },
): Promise<CreditNoteRow> {
  const series = `${tx.ctx.config.invoiceSeries}-CN-${yearOf(tx)}`;
  const taxMinor = taxWithin(invoice, await creditedOf(tx, invoice.id), amountMinor);
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
      taxMinor,
      reason,
      customer: invoice.customer,
      issuedAt: tx.now,
    })
    .returning();
  assert(note !== undefined, "an inserted credit note is returned");
  await insertTaxes(tx, note);
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

/** Read again: an earlier credit note of this transaction may have raised it. */
async function creditedOf(tx: Tx, invoiceId: string): Promise<bigint> {
  const [row] = await tx.sql
    .select({ creditedMinor: invoices.creditedMinor })
    .from(invoices)
    .where(and(eq(invoices.organizationId, organizationOf(tx)), eq(invoices.id, invoiceId)));
  assert(row !== undefined, "a credit note is for an invoice");
  return row.creditedMinor;
}

async function insertTaxes(tx: Tx, note: CreditNoteRow): Promise<void> {
  if (note.taxMinor === 0n) return;
  const organizationId = organizationOf(tx);
  const taxes = await tx.sql
    .select({
      taxRateId: invoiceTaxes.taxRateId,
      // Spelled out: in a statement about one table the builder leaves the table's name away, and the inner one would answer.
      leftMinor: sql<string>`invoice_taxes.amount_minor - coalesce((
        select sum(t.amount_minor) from credit_note_taxes t where t.organization_id = invoice_taxes.organization_id
          and t.invoice_id = invoice_taxes.invoice_id and t.tax_rate_id = invoice_taxes.tax_rate_id), 0)`,
    })
    .from(invoiceTaxes)
    .where(and(eq(invoiceTaxes.organizationId, organizationId), eq(invoiceTaxes.invoiceId, note.invoiceId)))
    .orderBy(asc(invoiceTaxes.position));
  const shares = shareOut(
    taxes.map(({ leftMinor }) => BigInt(leftMinor)),
    note.taxMinor,
  );
  await tx.sql.insert(creditNoteTaxes).values(
    taxes.flatMap(({ taxRateId }, index) => {
      const amountMinor = shares[index] ?? 0n;
      if (amountMinor === 0n) return [];
      const { id: creditNoteId, invoiceId } = note;
      return [{ id: tx.ctx.ids.next(), organizationId, creditNoteId, invoiceId, taxRateId, amountMinor }];
    }),
  );
}
