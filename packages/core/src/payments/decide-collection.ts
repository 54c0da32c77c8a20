export interface CollectionFacts {
  /** What is left of the invoice. */
  readonly restMinor: bigint;
  readonly walletMinor: bigint;
  /** The customer chose a card for that, and its provider is connected. */
  readonly hasCard: boolean;
  /** When the card may be charged; null when it is being charged, or will not be any more. */
  readonly nextAttemptAt: Date | null;
}

export interface CollectionDecision {
  readonly fromWalletMinor: bigint;
  /**
   * done: nothing is left then.
   * charge: the rest, to the card.
   * wait: the card was charged, or will be at another time.
   * ask: there is no card; the customer is told.
   */
  readonly step: "done" | "charge" | "wait" | "ask";
}

/** How the money of a renewal is taken: first what the wallet holds, be it a part; then the card. Pure. */
export function decideCollection(facts: CollectionFacts, now: Date): CollectionDecision {
  const { restMinor, walletMinor, hasCard, nextAttemptAt } = facts;
  const held = walletMinor > 0n ? walletMinor : 0n;
  const fromWalletMinor = held < restMinor ? held : restMinor;
  if (fromWalletMinor === restMinor) return { fromWalletMinor, step: "done" };
  if (!hasCard) return { fromWalletMinor, step: "ask" };
  const isDue = nextAttemptAt !== null && nextAttemptAt <= now;
  return { fromWalletMinor, step: isDue ? "charge" : "wait" };
}
