import type { Operation } from "../faults/answers.ts";
import type { Gateway } from "../payments/gateway.ts";
import { cancelPayment, createPayment } from "../payments/payments.ts";
import { Refusal } from "../payments/refusal.ts";
import { createRefund } from "../payments/refunds.ts";
import type { Payment } from "../payments/payment.ts";
import type { Answer } from "./http.ts";
import { readPaymentOrder, readRefundOrder } from "./input.ts";
import { viewPayment, viewRefund } from "./views.ts";

/** An operation of the API and the reference that its address names. */
export interface Asked {
  readonly operation: Operation;
  readonly reference: string;
}

const routes: readonly (readonly [method: string, path: RegExp, operation: Operation])[] = [
  ["POST", /^\/v1\/payments()$/, "createPayment"],
  ["GET", /^\/v1\/payments\/([^/]+)$/, "getPayment"],
  ["POST", /^\/v1\/payments\/([^/]+)\/cancel$/, "cancelPayment"],
  ["POST", /^\/v1\/refunds()$/, "createRefund"],
  ["GET", /^\/v1\/refunds\/([^/]+)$/, "getRefund"],
];

export function readAsked(method: string, path: string): Asked | null {
  for (const [wanted, pattern, operation] of routes) {
    const match = method === wanted ? pattern.exec(path) : null;
    if (match !== null) return { operation, reference: decodeReference(match[1] ?? "") };
  }
  return null;
}

export function operate(gateway: Gateway, url: string, { operation, reference }: Asked, body: string): Answer {
  switch (operation) {
    case "createPayment": {
      const { payment, isNew } = createPayment(gateway, readPaymentOrder(body));
      return { status: isNew ? 201 : 200, body: viewPayment(gateway.store, url, payment) };
    }
    case "getPayment":
      return { status: 200, body: viewPayment(gateway.store, url, getPayment(gateway, reference)) };
    case "cancelPayment": {
      const cancelled = cancelPayment(gateway, getPayment(gateway, reference));
      return { status: 200, body: viewPayment(gateway.store, url, cancelled) };
    }
    case "createRefund": {
      const { refund, isNew } = createRefund(gateway, readRefundOrder(body));
      return { status: isNew ? 201 : 200, body: viewRefund(refund) };
    }
    case "getRefund": {
      const refund = gateway.store.refund(reference);
      if (refund === null) throw new Refusal(404, "refund_unknown", "There is no refund with this reference.");
      return { status: 200, body: viewRefund(refund) };
    }
  }
}

export function getPayment({ store }: Gateway, reference: string): Payment {
  const payment = store.payment(reference);
  if (payment === null) throw new Refusal(404, "payment_unknown", "There is no payment with this reference.");
  return payment;
}

function decodeReference(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "invalid_request", "The address is not encoded well.");
  }
}
