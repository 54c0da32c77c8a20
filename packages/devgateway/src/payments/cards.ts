/** What happens when a card is charged: a failure's word, or null when the money comes. `isDelayed`: only after a while. */
export interface CardOutcome {
  readonly failure: string | null;
  readonly isDelayed: boolean;
}

export interface TestCard {
  readonly number: string;
  readonly label: string;
  /** For the checkout page. */
  readonly what: string;
  /** On the checkout page, by the customer. */
  readonly atCheckout: CardOutcome;
  /** Later, without the customer. */
  readonly onFile: CardOutcome;
}

const succeeds: CardOutcome = { failure: null, isDelayed: false };
const succeedsLate: CardOutcome = { failure: null, isDelayed: true };
const isDeclined: CardOutcome = { failure: "card_declined", isDelayed: false };
const isDeclinedLate: CardOutcome = { failure: "card_declined", isDelayed: true };
const lacksFunds: CardOutcome = { failure: "insufficient_funds", isDelayed: false };

function card(number: string, what: string, atCheckout: CardOutcome, onFile = atCheckout): TestCard {
  const brand = number.startsWith("5") ? "Mastercard" : "Visa";
  return { number, label: `${brand} ${number.slice(-4)}`, what, atCheckout, onFile };
}

/** The only cards there are. */
export const cards = {
  succeeds: card("4242424242424242", "succeeds", succeeds),
  otherSucceeds: card("5555555555554444", "succeeds, too", succeeds),
  declined: card("4000000000000002", "is declined", isDeclined),
  insufficientFunds: card("4000000000009995", "has too little money on it", lacksFunds),
  delayed: card("4000000000000077", "succeeds after a while", succeedsLate),
  delayedDecline: card("4000000000000093", "is declined after a while", isDeclinedLate),
  declinedOnFile: card(
    "4000000000000341",
    "succeeds here and is declined when it is charged again",
    succeeds,
    isDeclined,
  ),
  insufficientOnFile: card("4000000000000259", "succeeds here and has too little money later", succeeds, lacksFunds),
  delayedOnFile: card(
    "4000000000000184",
    "succeeds here, and after a while when it is charged again",
    succeeds,
    succeedsLate,
  ),
} as const satisfies Record<string, TestCard>;

/** By its number, spaces aside. */
export function findCard(number: string): TestCard | null {
  const plain = number.replaceAll(/[\s-]/g, "");
  return Object.values<TestCard>(cards).find((known) => known.number === plain) ?? null;
}

/** A card that was kept. */
export interface KeptCard {
  readonly token: string;
  readonly number: string;
}
