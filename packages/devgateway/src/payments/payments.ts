import { isDeepStrictEqual } from "node:util";
import { type CardOutcome, findCard } from "./cards.ts";
import type { Gateway } from "./gateway.ts";
import type { PaymentSource } from "./ledger.ts";
import type { Money } from "./money.ts";
import { changePayment, type Payment, type PaymentOrder } from "./payment.ts";
import { Refusal } from "./refusal.ts";
import { randomId } from "./store.ts";

/** So many declines close a checkout. */
export const maxDeclines = 5;

/** How a customer pays on the checkout page. */
export type PayWith =
  | {
      readonly type: "card";
      readonly number: string;
      /** Whether the card is kept; when left out, as the client wished. */
      readonly isKept?: boolean;
    }
  | {
      readonly type: "virtual_account" | "qris";
      /** Another amount or currency than asked for, as banks and people manage to send. */
      readonly received?: Money;
      /** A transfer that was under way when the checkout expired or was cancelled. */
      readonly isLate?: boolean;
    };

/** Answers about the same payment, however often the same is asked. */
export function createPayment(
  gateway: Gateway,
  order: PaymentOrder,
): { readonly payment: Payment; readonly isNew: boolean } {
  const { store } = gateway;
  const known = store.payment(order.reference);
  if (known !== null) {
    if (isDeepStrictEqual(known.order, order)) return { payment: known, isNew: false };
    throw new Refusal(409, "reference_used", "There is a payment with this reference and other content.");
  }
  const { method } = order;
  const kept = method.type === "on_file" ? store.card(method.token) : null;
  const card = kept === null ? null : findCard(kept.number);
  if (method.type === "on_file" && card === null) {
    throw new Refusal(422, "method_unknown", "No card is kept under this token.");
  }
  if (method.type === "checkout" && order.expiresAtMs <= gateway.now()) {
    throw new Refusal(422, "expiry_in_the_past", "The checkout would have closed already.");
  }
  const payment = store.putPayment({
    id: randomId("pay"),
    order,
    createdAtMs: gateway.now(),
    checkoutId: method.type === "checkout" ? randomId("co") : null,
    state: "pending",
    declines: 0,
    failure: null,
    charge: null,
    received: null,
    source: null,
    cardToken: null,
    succeededAtMs: null,
  });
  if (card === null) return { payment, isNew: true };
  return { payment: charge(gateway, payment, card.number, card.onFile, false), isNew: true };
}

/** Nobody can pay any more. What is paid stays paid, and what is under way is called back. */
export function cancelPayment({ store }: Gateway, payment: Payment): Payment {
  if (payment.state !== "pending" && payment.state !== "processing") return payment;
  return store.putPayment(changePayment(payment, { state: "cancelled", charge: null }));
}

/** The customer pays. Throws a `Refusal` when that is not possible now; a decline is an answer. */
export function payPayment(gateway: Gateway, payment: Payment, how: PayWith): Payment {
  const isClosed = payment.state === "expired" || payment.state === "cancelled";
  const isLate = how.type !== "card" && how.isLate === true && isClosed;
  if (payment.checkoutId === null || (payment.state !== "pending" && !isLate)) {
    throw new Refusal(409, "not_payable", `Nobody can pay this: it is ${payment.state}.`);
  }
  if (how.type !== "card") return settle(gateway, payment, how.type, how.received ?? payment.order, null);
  const card = findCard(how.number);
  if (card === null) throw new Refusal(422, "card_unknown", "There is no such test card.");
  return charge(gateway, payment, card.number, card.atCheckout, how.isKept ?? payment.order.savesMethod);
}

/** Does what is due: charges that were under way, checkouts whose time is over. */
export function catchUpPayment(gateway: Gateway, payment: Payment): Payment {
  const { charge: underWay, order } = payment;
  if (underWay !== null && underWay.dueAtMs <= gateway.now()) {
    const settled =
      underWay.failure === null
        ? settle(gateway, payment, "card", order, underWay.isKept ? underWay.number : null)
        : decline(gateway, payment, underWay.failure);
    return catchUpPayment(gateway, settled);
  }
  if (payment.state === "pending" && payment.checkoutId !== null && order.expiresAtMs <= gateway.now()) {
    return gateway.store.putPayment(changePayment(payment, { state: "expired" }));
  }
  return payment;
}

/** When something happens to it by itself; null when nothing does. */
export function dueOfPayment({ state, charge: underWay, checkoutId, order }: Payment): number | null {
  if (state === "processing") return underWay?.dueAtMs ?? null;
  return state === "pending" && checkoutId !== null ? order.expiresAtMs : null;
}

function charge(gateway: Gateway, payment: Payment, number: string, usual: CardOutcome, isKept: boolean): Payment {
  const declined = gateway.declines.nextCharge();
  const { failure, isDelayed } = declined === null ? usual : { failure: declined, isDelayed: false };
  if (isDelayed) {
    const dueAtMs = gateway.now() + gateway.delayMs;
    return gateway.store.putPayment(
      changePayment(payment, { state: "processing", failure: null, charge: { number, isKept, failure, dueAtMs } }),
    );
  }
  if (failure !== null) return decline(gateway, payment, failure);
  return settle(gateway, payment, "card", payment.order, isKept ? number : null);
}

function decline({ store }: Gateway, payment: Payment, failure: string): Payment {
  const declines = payment.declines + 1;
  // Without the customer there is nobody to try another card.
  const isFinal = payment.checkoutId === null || declines >= maxDeclines;
  return store.putPayment(
    changePayment(payment, { state: isFinal ? "failed" : "pending", declines, failure, charge: null }),
  );
}

function settle(
  gateway: Gateway,
  payment: Payment,
  source: PaymentSource,
  money: Money,
  keptNumber: string | null,
): Payment {
  const { store } = gateway;
  const received = { amount: money.amount, currency: money.currency };
  const settled = changePayment(payment, {
    state: "succeeded",
    failure: null,
    charge: null,
    received,
    source,
    cardToken: keptNumber === null ? null : store.keepCard(keptNumber),
    succeededAtMs: gateway.now(),
  });
  store.ledger.took(payment.order.reference, source, received, gateway.now());
  return store.putPayment(settled);
}
