import type { MoneyDto, TaxDto } from "../dto.ts";

/**
 * (quantity - includedQuantity) x unitAmount / perQuantity is the amount, or 0 where more is included; rounded once, half up. A discount
 * is below zero: one in percent has what it is taken off as its quantity, and its unit amount is so many out of 10,000.
 */
export interface InvoiceLineDto {
  /** `usage`: what was used, in base units of its meter. `discount`: what a coupon takes off; its amount is negative. */
  readonly kind: "plan" | "parameter" | "change" | "usage" | "setup" | "discount" | "addon";
  readonly description: string;
  readonly quantity: bigint;
  readonly includedQuantity: bigint;
  readonly unitAmount: MoneyDto;
  readonly perQuantity: bigint;
  readonly amount: MoneyDto;
  /** Of `usage`; null for others. */
  readonly usage: InvoiceUsageDto | null;
}

export interface InvoiceUsageDto {
  /** `cpu`, `memory`, `storage`, `running`, or one that the app declares itself. */
  readonly meter: string;
  /** Base units in one of the units that people read, such as a core-hour. */
  readonly unitQuantity: bigint;
  /** From the first hour to the end of the last one. */
  readonly periodStart: Date;
  readonly periodEnd: Date;
}

/** The next invoice of a subscription as it stands open, or as it would be booked now. */
export interface InvoicePreviewDto {
  readonly subscriptionId: string;
  /** The one that is open already; null while nothing is asked for. */
  readonly invoiceId: string | null;
  readonly reason: InvoiceReasonDto;
  /** Null for a reactivation: its period begins with the payment. */
  readonly periodStart: Date | null;
  readonly periodEnd: Date | null;
  readonly taxes: readonly TaxDto[];
  /** With the taxes. */
  readonly total: MoneyDto;
  readonly dueAt: Date | null;
  readonly lines: readonly InvoiceLineDto[];
}

export type InvoiceReasonDto = "order" | "renewal" | "reactivation" | "change" | "usage";

/** Money that has come for an invoice. */
export interface InvoicePaymentDto {
  readonly id: string;
  /** manual: a bank transfer, or nothing to pay. */
  readonly provider: "manual" | "wallet" | "sandbox";
  readonly status: "succeeded";
  readonly amount: MoneyDto;
  /** What of it was given back. */
  readonly refunded: MoneyDto;
  /** Of the bank transfer; of others the id of the payment. */
  readonly reference: string | null;
  readonly receivedAt: Date;
}

/** Takes back a part of what the invoice said, for money that is given back. Never changes. */
export interface CreditNoteDto {
  /** As printed, for example `INV-CN-2026-000007`. */
  readonly number: string;
  readonly amount: MoneyDto;
  /** The part of it that is tax. */
  readonly taxMinor: bigint;
  readonly reason: string;
  readonly issuedAt: Date;
}

export interface InvoiceCustomerDto {
  readonly organization: string;
  readonly name: string;
  readonly email: string;
  readonly taxId: string | null;
  readonly country: string | null;
}

/** Never changes after it was opened, but for what is paid of it. */
export interface InvoiceDto {
  readonly id: string;
  /** As printed, for example `INV2026-000042`; null for a draft. */
  readonly number: string | null;
  readonly status: "draft" | "open" | "paid" | "void" | "uncollectible";
  /** `change`: what a change of the app costs for the rest of the running period. `usage`: what was used before it was cancelled. */
  readonly reason: InvoiceReasonDto;
  readonly subscriptionId: string;
  /** Null for a reactivation that is not paid: its period begins with the payment. */
  readonly periodStart: Date | null;
  readonly periodEnd: Date | null;
  readonly taxes: readonly TaxDto[];
  /** With the taxes. */
  readonly total: MoneyDto;
  readonly paid: MoneyDto;
  readonly customer: InvoiceCustomerDto;
  readonly lines: readonly InvoiceLineDto[];
  readonly payments: readonly InvoicePaymentDto[];
  readonly creditNotes: readonly CreditNoteDto[];
  readonly openedAt: Date | null;
  readonly dueAt: Date | null;
  readonly paidAt: Date | null;
  /** When it was voided or given up, and why. */
  readonly closedAt: Date | null;
  readonly closeReason: string | null;
}

export interface InvoicePageDto {
  readonly items: readonly InvoiceDto[];
  readonly nextCursor: string | null;
}

export interface InvoiceInput {
  readonly invoiceId: string;
}

export interface InvoiceDocumentInput extends InvoiceInput {
  readonly format: "html" | "pdf";
  /** Of one of its credit notes, which is asked for instead. */
  readonly creditNoteNumber?: string | undefined;
}

/** A file, in the language of whoever asks. */
export interface InvoiceDocumentDto {
  readonly fileName: string;
  readonly contentType: string;
  readonly base64: string;
}

export interface ListInvoicesInput {
  readonly subscriptionId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}
