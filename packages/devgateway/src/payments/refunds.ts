import { isDeepStrictEqual } from "node:util";
import type { Gateway } from "./gateway.ts";
import type { Refund, RefundOrder } from "./payment.ts";
import { Refusal } from "./refusal.ts";
import { randomId } from "./store.ts";

/** Cards get their money back at once, bank accounts after a while. */
export function createRefund(
  gateway: Gateway,
  order: RefundOrder,
): { readonly refund: Refund; readonly isNew: boolean } {
  const { store } = gateway;
  const known = store.refund(order.reference);
  if (known !== null) {
    if (isDeepStrictEqual(known.order, order)) return { refund: known, isNew: false };
    throw new Refusal(409, "reference_used", "There is a refund with this reference and other content.");
  }
  const payment = store.payment(order.paymentReference);
  if (payment === null) throw new Refusal(422, "payment_unknown", "There is no payment with this reference.");
  if (payment.received === null) throw new Refusal(422, "payment_not_paid", "This payment has brought no money.");
  if (payment.received.currency !== order.currency) {
    throw new Refusal(422, "currency_differs", "A refund is in the currency of its payment.");
  }
  if (order.amount > payment.received.amount - refundedOf(gateway, order.paymentReference)) {
    throw new Refusal(422, "refund_exceeds_payment", "That is more than is left of this payment.");
  }
  const failure = gateway.declines.nextRefund();
  const atMs = gateway.now() + (payment.source === "card" ? 0 : gateway.delayMs);
  const refund = store.putRefund({
    id: randomId("re"),
    order,
    state: "pending",
    failure: null,
    due: { atMs, failure },
    createdAtMs: gateway.now(),
  });
  return { refund: catchUpRefund(gateway, refund), isNew: true };
}

export function catchUpRefund(gateway: Gateway, refund: Refund): Refund {
  const { due, order } = refund;
  if (due === null || due.atMs > gateway.now()) return refund;
  if (due.failure !== null) {
    return gateway.store.putRefund({ ...refund, state: "failed", failure: due.failure, due: null });
  }
  const source = gateway.store.payment(order.paymentReference)?.source ?? "card";
  gateway.store.ledger.gaveBack(order.reference, source, order, gateway.now());
  return gateway.store.putRefund({ ...refund, state: "succeeded", due: null });
}

/** What was given back or is promised. */
function refundedOf({ store }: Gateway, paymentReference: string): bigint {
  return store
    .refunds()
    .filter(({ order, state }) => order.paymentReference === paymentReference && state !== "failed")
    .reduce((sum, { order }) => sum + order.amount, 0n);
}
