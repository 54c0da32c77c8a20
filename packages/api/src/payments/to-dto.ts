import { type IntentRow, type PaymentMethodRow, toPublicId } from "@sewa/core";
import type { PaymentDto, PaymentMethodDto } from "./dto.ts";

/** What a customer calls a payment is what core calls an intent. */
export function toPaymentDto(intent: IntentRow): PaymentDto {
  const { status, purpose, provider, origin, currency, amountMinor, receivedMinor, checkoutUrl, failure } = intent;
  const { invoiceId, methodId, expiresAt, startedAt, endedAt } = intent;
  return {
    id: toPublicId("intent", intent.id),
    status,
    purpose,
    invoiceId: invoiceId === null ? null : toPublicId("invoice", invoiceId),
    provider,
    methodId: methodId === null ? null : toPublicId("method", methodId),
    origin,
    amount: { amountMinor, currency },
    received: receivedMinor === null ? null : { amountMinor: receivedMinor, currency },
    checkoutUrl,
    failure,
    expiresAt,
    startedAt,
    endedAt,
  };
}

export function toPaymentMethodDto({ id, label, isAutomatic, savedAt, removedAt }: PaymentMethodRow): PaymentMethodDto {
  return { id: toPublicId("method", id), label, isAutomatic, savedAt, removedAt };
}
