import type { Money } from "./money.ts";

/** Where money comes from and goes back to; `merchant` is what the gateway owes to its client. */
export type LedgerAccount = PaymentSource | "merchant";

export type PaymentSource = "card" | "virtual_account" | "qris";

export interface LedgerEntry extends Money {
  readonly account: LedgerAccount;
}

export interface LedgerTransaction {
  readonly kind: "payment" | "refund";
  /** The client's reference of the payment or refund. */
  readonly reference: string;
  readonly atMs: number;
  /** Their amounts sum to zero. What came in is positive with the merchant and negative with its source. */
  readonly entries: readonly LedgerEntry[];
}

export interface LedgerBook {
  readonly transactions: readonly LedgerTransaction[];
  /** One for each account and currency that was ever used. */
  readonly balances: readonly LedgerEntry[];
}

/** What the gateway took and gave back. It only grows. */
export class Ledger {
  readonly #transactions: LedgerTransaction[];

  constructor(transactions: readonly LedgerTransaction[] = []) {
    this.#transactions = [...transactions];
  }

  took(reference: string, source: PaymentSource, { amount, currency }: Money, atMs: number): void {
    const entries: LedgerEntry[] = [
      { account: source, amount: -amount, currency },
      { account: "merchant", amount, currency },
    ];
    this.#transactions.push({ kind: "payment", reference, atMs, entries });
  }

  gaveBack(reference: string, source: PaymentSource, { amount, currency }: Money, atMs: number): void {
    const entries: LedgerEntry[] = [
      { account: "merchant", amount: -amount, currency },
      { account: source, amount, currency },
    ];
    this.#transactions.push({ kind: "refund", reference, atMs, entries });
  }

  book(): LedgerBook {
    const balances = new Map<string, LedgerEntry>();
    for (const { account, amount, currency } of this.#transactions.flatMap(({ entries }) => entries)) {
      const key = `${account} ${currency}`;
      balances.set(key, { account, currency, amount: (balances.get(key)?.amount ?? 0n) + amount });
    }
    return { transactions: [...this.#transactions], balances: [...balances.values()] };
  }
}
