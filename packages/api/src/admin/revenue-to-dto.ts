import { type Margin, type Receivable, type Receivables, toPublicId, type UpcomingInvoice } from "@sewa/core";
import type { MarginDto, ReceivableDto, ReceivablePageDto, UpcomingInvoiceDto } from "./money-dto.ts";

export function toReceivablePageDto({ items, nextCursor, buckets }: Receivables): ReceivablePageDto {
  return {
    items: items.map(toReceivableDto),
    nextCursor,
    buckets: buckets.map(({ currency, bucket, invoices, amountMinor }) => ({
      currency,
      bucket,
      invoices,
      amountMinor,
    })),
  };
}

function toReceivableDto(receivable: Receivable): ReceivableDto {
  const { invoiceId, organizationId, number, currency, amountMinor, openedAt, dueAt, ageDays, bucket } = receivable;
  return {
    invoiceId: toPublicId("invoice", invoiceId),
    organizationId: toPublicId("organization", organizationId),
    number,
    currency,
    amountMinor,
    openedAt,
    dueAt,
    ageDays,
    bucket,
  };
}

export function toMarginDto(margin: Margin): MarginDto {
  const { instanceId, subscriptionId, organizationId, currency, broughtMinor, costMinor, marginMinor } = margin;
  return {
    instanceId: toPublicId("instance", instanceId),
    subscriptionId: toPublicId("subscription", subscriptionId),
    organizationId: toPublicId("organization", organizationId),
    currency,
    broughtMinor,
    costMinor,
    marginMinor,
  };
}

export function toUpcomingInvoiceDto(upcoming: UpcomingInvoice): UpcomingInvoiceDto {
  return {
    ...upcoming,
    subscriptionId: toPublicId("subscription", upcoming.subscriptionId),
    organizationId: toPublicId("organization", upcoming.organizationId),
  };
}
