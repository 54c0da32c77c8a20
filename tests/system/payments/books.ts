import assert from "node:assert/strict";
import type { ProviderPayment, ProviderRefund } from "@sewa/core";

interface Booked {
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** What we believe, from answers alone. */
export class Books {
  readonly payments = new Map<string, Booked>();
  readonly refunds = new Map<string, Booked>();
  readonly refused = new Set<string>();
  readonly cancelled = new Set<string>();
  /** Calls after which nobody knew what was done. */
  readonly unknown = new Set<string>();

  sawPayment(payment: ProviderPayment | null): void {
    if (payment === null) return;
    const { reference, state, amountMinor, currency } = payment;
    if (state === "cancelled") this.cancelled.add(reference);
    if (state === "succeeded") this.#book(this.payments, reference, { amountMinor, currency });
    else assert(!this.payments.has(reference), `${reference} stays paid`);
  }

  sawRefund(refund: ProviderRefund | null): void {
    if (refund === null) return;
    const { reference, state, amountMinor, currency } = refund;
    if (state === "succeeded") this.#book(this.refunds, reference, { amountMinor, currency });
    else assert(!this.refunds.has(reference), `${reference} stays refunded`);
  }

  balance(currency: string): bigint {
    const sum = (map: Books["payments"]): bigint =>
      [...map.values()]
        .filter((money) => money.currency === currency)
        .reduce((total, { amountMinor }) => total + amountMinor, 0n);
    return sum(this.payments) - sum(this.refunds);
  }

  #book(map: Books["payments"], reference: string, money: Booked): void {
    assert.deepEqual(map.get(reference) ?? money, money);
    map.set(reference, money);
  }
}
