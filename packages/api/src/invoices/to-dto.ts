import { formatInvoiceNumber, type InvoiceView, toPublicId } from "@sewa/core";
import type { InvoiceDto } from "./dto.ts";

export function toInvoiceDto({ invoice, lines, payments, creditNotes }: InvoiceView): InvoiceDto {
  const { status, reason, periodStart, periodEnd, currency, openedAt, dueAt, paidAt, closedAt, closeReason } = invoice;
  const { organization, name, email } = invoice.customer;
  return {
    id: toPublicId("invoice", invoice.id),
    number: formatInvoiceNumber(invoice),
    status,
    reason,
    subscriptionId: toPublicId("subscription", invoice.subscriptionId),
    periodStart,
    periodEnd,
    total: { amountMinor: invoice.totalMinor, currency },
    paid: { amountMinor: invoice.paidMinor, currency },
    customer: { organization, name, email },
    lines: lines.map(({ kind, description, quantity, includedQuantity, perQuantity, ...line }) => ({
      kind,
      description,
      quantity,
      includedQuantity,
      unitAmount: { amountMinor: line.unitAmountMinor, currency },
      perQuantity,
      amount: { amountMinor: line.amountMinor, currency },
    })),
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

function referenceOf({ provider, reference }: InvoiceView["payments"][number]): string | null {
  return provider === "manual" || reference === null ? reference : toPublicId("intent", reference);
}
