import type { Posting, Reversal } from "../ledger/index.ts";
import { taxWithin } from "./credited-tax.ts";
import type { CreditNoteRow, InvoiceRow, PaymentRow, RefundRow } from "./invoice.ts";

type Money = { readonly amountMinor: bigint; readonly currency: string };
/** A move into the wallet or out of it, without the wallet's own side. */
type WalletMove = Omit<Posting, "debit" | "credit">;

/** Owed from the moment at which it is asked for. */
export function openingOf(invoice: InvoiceRow): Posting {
  return {
    kind: "invoice_opened",
    source: sourceOf(invoice),
    key: openingKey(invoice),
    debit: "receivable",
    credit: "revenue",
    amountMinor: invoice.totalMinor,
    taxMinor: invoice.taxMinor,
    currency: invoice.currency,
  };
}

/** Never owed after all: all of it, or what of it is not paid, and the tax on that. What is paid of it is taken back by its refunds. */
export function voidingOf(invoice: InvoiceRow): Posting | Reversal {
  const posting = {
    kind: "invoice_voided",
    source: sourceOf(invoice),
    key: `invoice:${invoice.id}:voided`,
  } as const;
  if (invoice.paidMinor === 0n) return { ...posting, reversesKey: openingKey(invoice) };
  const rest = restOf(invoice);
  const taxMinor = taxWithin(invoice, invoice.paidMinor, rest.amountMinor);
  return { ...posting, debit: "revenue", credit: "receivable", ...rest, taxMinor };
}

/** Owed, used, and given up. The tax on it was due with the invoice and stays so: it is part of what the house has lost. */
export function writeOffOf(invoice: InvoiceRow): Posting {
  return {
    kind: "invoice_written_off",
    source: sourceOf(invoice),
    key: `invoice:${invoice.id}:written_off`,
    debit: "bad_debt",
    credit: "receivable",
    ...restOf(invoice),
  };
}

export function receiptOf({ id, amountMinor, currency }: PaymentRow): Posting {
  return {
    kind: "payment_received",
    source: { type: "payment", id },
    key: paymentKey(id),
    debit: "cash",
    credit: "receivable",
    amountMinor,
    currency,
  };
}

export function spendingOf({ id, amountMinor, currency }: PaymentRow): WalletMove {
  return { kind: "wallet_spent", source: { type: "payment", id }, key: paymentKey(id), amountMinor, currency };
}

/** Given back, and with it what it was earned for and the tax on that, as its credit note says. */
export function refundingOf({ id, amountMinor, currency }: RefundRow, { taxMinor }: CreditNoteRow): Posting {
  return {
    kind: "payment_refunded",
    source: { type: "refund", id },
    key: refundKey(id),
    debit: "revenue",
    credit: "cash",
    amountMinor,
    taxMinor,
    currency,
  };
}

/** Taken back from what was earned, and on its way by the provider. */
export function promiseOf({ id, amountMinor, currency }: RefundRow, { taxMinor }: CreditNoteRow): Posting {
  return {
    kind: "refund_promised",
    source: { type: "refund", id },
    key: refundKey(id),
    debit: "revenue",
    credit: "refund_due",
    amountMinor,
    taxMinor,
    currency,
  };
}

/** The provider has given it back. */
export function keptPromiseOf({ id, amountMinor, currency }: RefundRow): Posting {
  return {
    kind: "payment_refunded",
    source: { type: "refund", id },
    key: `${refundKey(id)}:settled`,
    debit: "refund_due",
    credit: "cash",
    amountMinor,
    currency,
  };
}

/** Into the wallet at once. */
export function walletRefundOf({ id, amountMinor, currency }: RefundRow, { taxMinor }: CreditNoteRow): WalletMove {
  return {
    kind: "wallet_refunded",
    source: { type: "refund", id },
    key: refundKey(id),
    amountMinor,
    taxMinor,
    currency,
  };
}

/** Into the wallet because the provider would not give it back. What was earned, and the tax, were taken back with the promise. */
export function redirectedRefundOf({ id, amountMinor, currency }: RefundRow): WalletMove {
  return {
    kind: "wallet_refunded",
    source: { type: "refund", id },
    key: `${refundKey(id)}:settled`,
    amountMinor,
    currency,
  };
}

export function refundKey(refundId: string): string {
  return `refund:${refundId}`;
}

/** What is still to be paid. */
export function restOf({ totalMinor, paidMinor, currency }: InvoiceRow): Money {
  return { amountMinor: totalMinor - paidMinor, currency };
}

function paymentKey(paymentId: string): string {
  return `payment:${paymentId}`;
}

function openingKey({ id }: InvoiceRow): string {
  return `invoice:${id}:opened`;
}

function sourceOf({ id }: InvoiceRow): Posting["source"] {
  return { type: "invoice", id };
}
