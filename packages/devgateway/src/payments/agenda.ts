import type { Gateway } from "./gateway.ts";
import { catchUpPayment, dueOfPayment } from "./payments.ts";
import { catchUpRefund } from "./refunds.ts";

/** A clock that is set by hand says nothing when it is set, so it is looked at so often. */
const longestSleepMs = 1_000;

/** Does by itself what is due by the clock. */
export class Agenda {
  readonly #gateway: Gateway;
  /** References of what has something ahead. */
  readonly #payments = new Set<string>();
  readonly #refunds = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    const { store } = gateway;
    for (const { order } of store.payments()) this.#payments.add(order.reference);
    for (const { order } of store.refunds()) this.#refunds.add(order.reference);
    store.subscribe((change) => {
      if (change.type === "payment") this.#payments.add(change.payment.order.reference);
      else this.#refunds.add(change.refund.order.reference);
      this.#plan(0);
    });
    this.#plan(0);
  }

  catchUp(): void {
    const { store } = this.#gateway;
    for (const reference of this.#payments) {
      const payment = store.payment(reference);
      if (payment === null || dueOfPayment(catchUpPayment(this.#gateway, payment)) === null) {
        this.#payments.delete(reference);
      }
    }
    for (const reference of this.#refunds) {
      const refund = store.refund(reference);
      if (refund === null || catchUpRefund(this.#gateway, refund).due === null) this.#refunds.delete(reference);
    }
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** A change plans a look in the next turn, and that look the one after. */
  #plan(afterMs: number): void {
    if (this.#isStopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.catchUp();
      const next = this.#nextMs();
      if (next !== null) this.#plan(Math.min(Math.max(next - this.#gateway.now(), 0), longestSleepMs));
    }, afterMs);
  }

  #nextMs(): number | null {
    const { store } = this.#gateway;
    const payments = [...this.#payments].map((reference) => {
      const payment = store.payment(reference);
      return payment === null ? null : dueOfPayment(payment);
    });
    const refunds = [...this.#refunds].map((reference) => store.refund(reference)?.due?.atMs ?? null);
    const dues = [...payments, ...refunds].filter((due) => due !== null);
    return dues.length === 0 ? null : dues.reduce((least, due) => Math.min(least, due));
  }
}
