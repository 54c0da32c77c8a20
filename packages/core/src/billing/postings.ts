import type { Posting, Reversal } from "../ledger/index.ts";
import type { InvoiceRow, PaymentRow } from "./invoice.ts";

type Money = { readonly amountMinor: bigint; readonly currency: string };

/** Owed from the moment at which it is asked for. */
export function openingOf(invoice: InvoiceRow): Posting {
  return {
    kind: "invoice_opened",
    source: sourceOf(invoice),
    key: openingKey(invoice),
    debit: "receivable",
    credit: "revenue",
    ...totalOf(invoice),
  };
}

/** Never owed after all. */
export function voidingOf(invoice: InvoiceRow): Reversal {
  return {
    kind: "invoice_voided",
    source: sourceOf(invoice),
    key: `invoice:${invoice.id}:voided`,
    reversesKey: openingKey(invoice),
  };
}

/** Owed, used, and given up. */
export function writeOffOf(invoice: InvoiceRow): Posting {
  return {
    kind: "invoice_written_off",
    source: sourceOf(invoice),
    key: `invoice:${invoice.id}:written_off`,
    debit: "bad_debt",
    credit: "receivable",
    ...totalOf(invoice),
  };
}

export function receiptOf({ id, amountMinor, currency }: PaymentRow): Posting {
  return {
    kind: "payment_received",
    source: { type: "payment", id },
    key: `payment:${id}`,
    debit: "cash",
    credit: "receivable",
    amountMinor,
    currency,
  };
}

/** Given back, and with it what it was earned for. */
export function refundingOf({ id, amountMinor, currency }: Money & { readonly id: string }): Posting {
  return {
    kind: "payment_refunded",
    source: { type: "refund", id },
    key: `refund:${id}`,
    debit: "revenue",
    credit: "cash",
    amountMinor,
    currency,
  };
}

function openingKey({ id }: InvoiceRow): string {
  return `invoice:${id}:opened`;
}

function sourceOf({ id }: InvoiceRow): Posting["source"] {
  return { type: "invoice", id };
}

function totalOf({ totalMinor, currency }: InvoiceRow): Money {
  return { amountMinor: totalMinor, currency };
}
