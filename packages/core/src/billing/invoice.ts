import type {
  creditNotes,
  creditNoteTaxes,
  invoiceLines,
  invoices,
  invoiceTaxes,
  payments,
  refunds,
} from "@sewa/db/schema";

export type InvoiceRow = typeof invoices.$inferSelect;
export type InvoiceLineRow = typeof invoiceLines.$inferSelect;
export type InvoiceTaxRow = typeof invoiceTaxes.$inferSelect;
export type PaymentRow = typeof payments.$inferSelect;
export type CreditNoteRow = typeof creditNotes.$inferSelect;
export type CreditNoteTaxRow = typeof creditNoteTaxes.$inferSelect;
export type RefundRow = typeof refunds.$inferSelect;
export type PaymentProvider = PaymentRow["provider"];
export type InvoiceStatus = InvoiceRow["status"];

/**
 * draft: being put together; has no number and nobody has seen it.
 * open: numbered and frozen; waits for money, of which a part may have come.
 * paid: all of it has come.
 * void: will not be asked for; nothing was used.
 * uncollectible: was used, and the money did not come.
 */
export const invoiceTransitions = {
  draft: ["open", "void"],
  open: ["paid", "void", "uncollectible"],
  paid: [],
  void: [],
  uncollectible: [],
} as const satisfies Record<InvoiceStatus, readonly InvoiceStatus[]>;

/** `INV-2026-000042`: what is printed. Of a credit note `INV-CN-2026-000042`. */
export function formatInvoiceNumber(invoice: Pick<InvoiceRow, "series" | "number">): string | null {
  if (invoice.series === null || invoice.number === null) return null;
  return `${invoice.series}-${String(invoice.number).padStart(6, "0")}`;
}
