import type { InvoiceStatus, PaymentRow, RefundRow } from "../billing/index.ts";
import type { Interval, Period } from "../periods.ts";

export const documentFormats = ["html", "pdf"] as const;
export type DocumentFormat = (typeof documentFormats)[number];

export type DocumentLocale = "en" | "id";

/** Everything that is printed, and nothing that changes with who looks: from the same view come the same bytes. */
export interface InvoiceDocument {
  /** Null for a draft, which has none. */
  readonly number: string | null;
  readonly status: InvoiceStatus;
  /** Zone in which days are written. */
  readonly timeZone: string;
  readonly currency: string;
  readonly openedAt: Date;
  readonly dueAt: Date | null;
  readonly paidAt: Date | null;
  readonly closedAt: Date | null;
  readonly seller: DocumentSeller | null;
  readonly customer: DocumentCustomer;
  readonly lines: readonly DocumentLine[];
  readonly taxes: readonly DocumentTax[];
  /** Without any tax. */
  readonly netMinor: bigint;
  readonly totalMinor: bigint;
  readonly payments: readonly DocumentPayment[];
  readonly creditNotes: readonly { readonly number: string; readonly at: Date; readonly amountMinor: bigint }[];
  /** What is still to come; zero for what is closed. */
  readonly dueMinor: bigint;
}

/** Takes back a part of an invoice; both parties are those of the invoice. */
export interface CreditNoteDocument {
  readonly number: string;
  readonly invoice: { readonly number: string; readonly openedAt: Date };
  readonly timeZone: string;
  readonly currency: string;
  readonly issuedAt: Date;
  readonly seller: DocumentSeller | null;
  readonly customer: DocumentCustomer;
  readonly reason: string;
  /** What it takes back of each tax. */
  readonly taxes: readonly DocumentTax[];
  readonly netMinor: bigint;
  readonly totalMinor: bigint;
  /** Where the money went; null while no refund hangs on it. */
  readonly refund: Pick<RefundRow, "destination" | "status"> | null;
}

export interface DocumentSeller {
  readonly name: string;
  readonly address: string | null;
  readonly taxId: string | null;
}

export interface DocumentCustomer {
  readonly organization: string;
  readonly name: string;
  readonly email: string;
  readonly taxId: string | null;
  readonly country: string | null;
}

export interface DocumentLine {
  readonly description: string;
  readonly quantity: bigint;
  /** What one of it is; a change asks for a part of a period. Null for what is asked for or taken off as a whole. */
  readonly unit: Interval | "rest" | null;
  /** Null for a term that begins with its payment. */
  readonly period: Period | null;
  /** Which of the plan's prices it was, counted from 1. */
  readonly priceVersion: number | null;
  readonly unitAmountMinor: bigint;
  readonly amountMinor: bigint;
}

export interface DocumentTax {
  readonly name: string;
  readonly basisPoints: number;
  readonly isInclusive: boolean;
  readonly amountMinor: bigint;
}

export interface DocumentPayment {
  readonly at: Date;
  readonly provider: PaymentRow["provider"];
  readonly reference: string | null;
  readonly amountMinor: bigint;
}
