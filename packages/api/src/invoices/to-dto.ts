import {
  formatInvoiceNumber,
  type InvoicePreview,
  type InvoiceView,
  type RenderedDocument,
  toPublicId,
  unitQuantityOf,
} from "@sewa/core";
import { toTaxDto } from "../tax-to-dto.ts";
import type { InvoiceDocumentDto, InvoiceDto, InvoiceLineDto, InvoicePreviewDto } from "./dto.ts";

export function toInvoiceDto({ invoice, lines, taxes, payments, creditNotes }: InvoiceView): InvoiceDto {
  const { status, reason, periodStart, periodEnd, currency, openedAt, dueAt, paidAt, closedAt, closeReason } = invoice;
  const { organization, name, email, taxId = null, country = null } = invoice.customer;
  return {
    id: toPublicId("invoice", invoice.id),
    number: formatInvoiceNumber(invoice),
    status,
    reason,
    subscriptionId: toPublicId("subscription", invoice.subscriptionId),
    periodStart,
    periodEnd,
    taxes: taxes.map(toTaxDto),
    total: { amountMinor: invoice.totalMinor, currency },
    paid: { amountMinor: invoice.paidMinor, currency },
    customer: { organization, name, email, taxId, country },
    lines: lines.map((line) => toLineDto(line, currency)),
    payments: payments.map((payment) => ({
      id: toPublicId("payment", payment.id),
      provider: payment.provider,
      status: payment.status,
      amount: { amountMinor: payment.amountMinor, currency: payment.currency },
      refunded: { amountMinor: payment.refundedMinor, currency: payment.currency },
      reference: referenceOf(payment),
      receivedAt: payment.receivedAt,
    })),
    creditNotes: creditNotes.map((note) => ({
      number: formatInvoiceNumber(note) ?? "",
      amount: { amountMinor: note.amountMinor, currency },
      taxMinor: note.taxMinor,
      reason: note.reason,
      issuedAt: note.issuedAt,
    })),
    openedAt,
    dueAt,
    paidAt,
    closedAt,
    closeReason,
  };
}

export function toInvoicePreviewDto(preview: InvoicePreview): InvoicePreviewDto {
  const { subscriptionId, invoiceId, reason, period, currency, taxes, totalMinor, dueAt, lines } = preview;
  return {
    subscriptionId: toPublicId("subscription", subscriptionId),
    invoiceId: invoiceId === null ? null : toPublicId("invoice", invoiceId),
    reason,
    periodStart: period?.start ?? null,
    periodEnd: period?.end ?? null,
    taxes: taxes.map(toTaxDto),
    total: { amountMinor: totalMinor, currency },
    dueAt,
    lines: lines.map((line) => toLineDto(line, currency)),
  };
}

function toLineDto(line: InvoicePreview["lines"][number], currency: string): InvoiceLineDto {
  const { kind, description, quantity, includedQuantity = 0n, unitAmountMinor, perQuantity = 1n, amountMinor } = line;
  return {
    kind,
    description,
    quantity,
    includedQuantity,
    unitAmount: { amountMinor: unitAmountMinor, currency },
    perQuantity,
    amount: { amountMinor, currency },
    usage: toUsageDto(line),
  };
}

function toUsageDto({ meter, periodStart, periodEnd }: InvoicePreview["lines"][number]): InvoiceLineDto["usage"] {
  if (meter == null || periodStart == null || periodEnd == null) return null;
  return { meter, unitQuantity: unitQuantityOf(meter), periodStart, periodEnd };
}

function referenceOf({ provider, reference }: InvoiceView["payments"][number]): string | null {
  return provider === "manual" || reference === null ? reference : toPublicId("intent", reference);
}

export function toDocumentDto({ fileName, contentType, content }: RenderedDocument): InvoiceDocumentDto {
  return { fileName, contentType, base64: Buffer.from(content).toString("base64") };
}
