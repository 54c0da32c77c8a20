import { creditNoteTaxes, invoiceTaxes, refunds } from "@sewa/db/schema";
import { and, asc, eq } from "drizzle-orm";
import { getOrganization } from "../accounts/index.ts";
import { formatInvoiceNumber, type InvoiceView } from "../billing/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import type { CreditNoteDocument, DocumentTax } from "./document.ts";
import { toCustomer } from "./read-invoice-document.ts";

/** NOT_FOUND for a number that none of the invoice's credit notes has. */
export async function readCreditNote(
  tx: Tx,
  { invoice, creditNotes }: InvoiceView,
  number: string,
): Promise<CreditNoteDocument> {
  const note = creditNotes.find((each) => formatInvoiceNumber(each) === number);
  if (note === undefined) throw notFound("credit note");
  const { timeZone } = await getOrganization(tx);
  const { currency, issuedAt, customer, reason, amountMinor: totalMinor, taxMinor } = note;
  return {
    number,
    invoice: { number: formatInvoiceNumber(invoice) ?? "", openedAt: invoice.openedAt ?? invoice.createdAt },
    timeZone,
    currency,
    issuedAt,
    seller: invoice.seller,
    customer: toCustomer(customer),
    reason,
    taxes: await readTaxes(tx, note.id),
    netMinor: totalMinor - taxMinor,
    totalMinor,
    refund: await findRefund(tx, note.id),
  };
}

async function readTaxes(tx: Tx, creditNoteId: string): Promise<readonly DocumentTax[]> {
  return tx.sql
    .select({
      name: invoiceTaxes.name,
      basisPoints: invoiceTaxes.basisPoints,
      isInclusive: invoiceTaxes.isInclusive,
      amountMinor: creditNoteTaxes.amountMinor,
    })
    .from(creditNoteTaxes)
    .innerJoin(
      invoiceTaxes,
      and(
        eq(invoiceTaxes.organizationId, creditNoteTaxes.organizationId),
        eq(invoiceTaxes.invoiceId, creditNoteTaxes.invoiceId),
        eq(invoiceTaxes.taxRateId, creditNoteTaxes.taxRateId),
      ),
    )
    .where(and(eq(creditNoteTaxes.organizationId, organizationOf(tx)), eq(creditNoteTaxes.creditNoteId, creditNoteId)))
    .orderBy(asc(invoiceTaxes.position));
}

async function findRefund(tx: Tx, creditNoteId: string): Promise<CreditNoteDocument["refund"]> {
  const [row] = await tx.sql
    .select({ destination: refunds.destination, status: refunds.status })
    .from(refunds)
    .where(and(eq(refunds.organizationId, organizationOf(tx)), eq(refunds.creditNoteId, creditNoteId)));
  return row ?? null;
}
