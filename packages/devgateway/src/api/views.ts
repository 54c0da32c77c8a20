import { findCard } from "../payments/cards.ts";
import type { Payment, Refund } from "../payments/payment.ts";
import type { Store } from "../payments/store.ts";

/** A payment as clients see it. */
export interface PaymentView {
  readonly id: string;
  readonly reference: string;
  readonly state: Payment["state"];
  /** What was asked for, in the smallest unit of the gateway. */
  readonly amount: string;
  readonly currency: string;
  /** What came. Null until it succeeded. */
  readonly received: { readonly amount: string; readonly currency: string } | null;
  readonly failure: string | null;
  /** Null when nobody can pay there. */
  readonly checkout_url: string | null;
  /** The card, if it was kept. */
  readonly saved_method: { readonly token: string; readonly label: string } | null;
  readonly created_at: string;
  readonly succeeded_at: string | null;
}

export interface RefundView {
  readonly id: string;
  readonly reference: string;
  readonly payment_reference: string;
  readonly state: Refund["state"];
  readonly amount: string;
  readonly currency: string;
  readonly failure: string | null;
  readonly created_at: string;
}

export function viewPayment(store: Store, url: string, payment: Payment): PaymentView {
  const { order, received, cardToken, checkoutId, succeededAtMs } = payment;
  const kept = cardToken === null ? null : store.card(cardToken);
  const card = kept === null ? null : findCard(kept.number);
  return {
    id: payment.id,
    reference: order.reference,
    state: payment.state,
    amount: order.amount.toString(),
    currency: order.currency,
    received: received === null ? null : { amount: received.amount.toString(), currency: received.currency },
    failure: payment.failure,
    checkout_url: checkoutId !== null && payment.state === "pending" ? `${url}/checkout/${checkoutId}` : null,
    saved_method: kept === null || card === null ? null : { token: kept.token, label: card.label },
    created_at: new Date(payment.createdAtMs).toISOString(),
    succeeded_at: succeededAtMs === null ? null : new Date(succeededAtMs).toISOString(),
  };
}

export function viewRefund({ id, order, state, failure, createdAtMs }: Refund): RefundView {
  return {
    id,
    reference: order.reference,
    payment_reference: order.paymentReference,
    state,
    amount: order.amount.toString(),
    currency: order.currency,
    failure,
    created_at: new Date(createdAtMs).toISOString(),
  };
}
