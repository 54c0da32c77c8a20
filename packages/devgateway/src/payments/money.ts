/** An amount in the smallest unit that this gateway counts, which need not be the one that its clients count. */
export interface Money {
  readonly amount: bigint;
  readonly currency: string;
}

/**
 * Decimal places of that unit. Rupiah are counted in sen here, as one international gateway does and no Indonesian one: a client that
 * forgets to convert takes a hundredth of the price, and a test sees it.
 */
const digits: Readonly<Record<string, number>> = { EUR: 2, IDR: 2, JPY: 0, KWD: 3, MYR: 2, SGD: 2, USD: 2 };

export function isCurrency(currency: string): boolean {
  return Object.hasOwn(digits, currency);
}

/** `IDR 50000.00`, for a person. */
export function formatMoney({ amount, currency }: Money): string {
  const places = digits[currency] ?? 0;
  const text = amount.toString().padStart(places + 1, "0");
  const fraction = places > 0 ? `.${text.slice(-places)}` : "";
  return `${currency} ${text.slice(0, text.length - places)}${fraction}`;
}
