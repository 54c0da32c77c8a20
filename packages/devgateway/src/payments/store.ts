import { randomBytes } from "node:crypto";
import type { KeptCard } from "./cards.ts";
import { Ledger, type LedgerTransaction } from "./ledger.ts";
import type { Payment, Refund } from "./payment.ts";

export interface StoredState {
  readonly payments: readonly Payment[];
  readonly refunds: readonly Refund[];
  readonly cards: readonly KeptCard[];
  readonly transactions: readonly LedgerTransaction[];
}

/** A change that clients are told of. */
export type Change =
  { readonly type: "payment"; readonly payment: Payment } | { readonly type: "refund"; readonly refund: Refund };

/**
 * All that the gateway knows. Stored objects are values, and everything is synchronous: between two awaits of a request no other
 * request can come, so nothing has to be locked.
 */
export class Store {
  readonly ledger: Ledger;
  readonly #payments: Map<string, Payment>;
  readonly #refunds: Map<string, Refund>;
  readonly #cards: Map<string, KeptCard>;
  /** Reference of the payment by the id of its checkout. */
  readonly #checkouts = new Map<string, string>();
  readonly #listeners: ((change: Change) => void)[] = [];

  constructor(saved: StoredState | null) {
    this.ledger = new Ledger(saved?.transactions);
    this.#payments = new Map(saved?.payments.map((payment) => [payment.order.reference, payment]));
    for (const { checkoutId, order } of this.#payments.values()) {
      if (checkoutId !== null) this.#checkouts.set(checkoutId, order.reference);
    }
    this.#refunds = new Map(saved?.refunds.map((refund) => [refund.order.reference, refund]));
    this.#cards = new Map(saved?.cards.map((card) => [card.token, card]));
  }

  subscribe(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  payment(reference: string): Payment | null {
    return this.#payments.get(reference) ?? null;
  }

  checkout(id: string): Payment | null {
    return this.payment(this.#checkouts.get(id) ?? "");
  }

  payments(): readonly Payment[] {
    return [...this.#payments.values()];
  }

  refund(reference: string): Refund | null {
    return this.#refunds.get(reference) ?? null;
  }

  refunds(): readonly Refund[] {
    return [...this.#refunds.values()];
  }

  card(token: string): KeptCard | null {
    return this.#cards.get(token) ?? null;
  }

  putPayment(payment: Payment): Payment {
    this.#payments.set(payment.order.reference, payment);
    if (payment.checkoutId !== null) this.#checkouts.set(payment.checkoutId, payment.order.reference);
    this.#tell({ type: "payment", payment });
    return payment;
  }

  putRefund(refund: Refund): Refund {
    this.#refunds.set(refund.order.reference, refund);
    this.#tell({ type: "refund", refund });
    return refund;
  }

  keepCard(number: string): string {
    const token = randomId("card");
    this.#cards.set(token, { token, number });
    return token;
  }

  state(): StoredState {
    const { transactions } = this.ledger.book();
    return { payments: this.payments(), refunds: this.refunds(), cards: [...this.#cards.values()], transactions };
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Cannot be guessed: the id of a checkout lets its bearer pay, the token of a card lets its bearer charge. */
export function randomId(prefix: string): string {
  return `${prefix}_${randomBytes(18).toString("base64url")}`;
}
