import type { PaymentSource } from "./ledger.ts";
import type { Money } from "./money.ts";

/**
 * - pending: nobody has paid; the checkout is open.
 * - processing: somebody has paid and the money is under way. The checkout is closed.
 * - succeeded: the money is here. Only refunds follow.
 * - failed: declined for good: a card on file at once, a checkout after so many attempts.
 * - expired, cancelled: nobody can pay any more. A bank transfer that was under way arrives all the same.
 */
export type PaymentState = "pending" | "processing" | "succeeded" | "failed" | "expired" | "cancelled";

const transitions = {
  pending: ["processing", "succeeded", "failed", "expired", "cancelled"],
  processing: ["pending", "succeeded", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  expired: ["succeeded"],
  cancelled: ["succeeded"],
} as const satisfies Record<PaymentState, readonly PaymentState[]>;

/** What a client asked for; the same reference with other content is refused. */
export interface PaymentOrder extends Money {
  readonly reference: string;
  readonly description: string;
  readonly method: { readonly type: "checkout" } | { readonly type: "on_file"; readonly token: string };
  readonly savesMethod: boolean;
  readonly returnUrl: string;
  readonly expiresAtMs: number;
}

/** A charge whose outcome is known when it is due. */
export interface Charge {
  readonly number: string;
  readonly isKept: boolean;
  readonly failure: string | null;
  readonly dueAtMs: number;
}

export interface Payment {
  readonly id: string;
  readonly order: PaymentOrder;
  readonly createdAtMs: number;
  /** The path of the checkout page; whoever knows it can pay. Null for a card on file. */
  readonly checkoutId: string | null;
  readonly state: PaymentState;
  /** How often the customer was declined. */
  readonly declines: number;
  /** Of the last attempt. */
  readonly failure: string | null;
  readonly charge: Charge | null;
  /** What came, which is not always what was asked for. */
  readonly received: Money | null;
  readonly source: PaymentSource | null;
  readonly cardToken: string | null;
  readonly succeededAtMs: number | null;
}

export type PaymentChange = Partial<Omit<Payment, "id" | "order" | "createdAtMs" | "checkoutId">>;

export function changePayment(payment: Payment, change: PaymentChange): Payment {
  const { state = payment.state } = change;
  const next: readonly PaymentState[] = transitions[payment.state];
  if (state !== payment.state && !next.includes(state)) {
    throw new Error(`A payment that is ${payment.state} does not become ${state}.`);
  }
  return { ...payment, ...change };
}

export interface RefundOrder extends Money {
  readonly reference: string;
  readonly paymentReference: string;
}

export interface Refund {
  readonly id: string;
  readonly order: RefundOrder;
  readonly state: "pending" | "succeeded" | "failed";
  readonly failure: string | null;
  /** Of what is pending: when it is decided, and with what failure. */
  readonly due: { readonly atMs: number; readonly failure: string | null } | null;
  readonly createdAtMs: number;
}
