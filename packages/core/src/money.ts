import { assert, DomainError } from "./errors.ts";

/**
 * Money is a whole number of minor units and a currency. A Rupiah is its own minor unit here: the sen has been out of use
 * for decades and Indonesian gateways take whole Rupiah. Gateways that count otherwise convert at their own edge.
 */
export interface Money {
  readonly amountMinor: bigint;
  /** ISO 4217 code. */
  readonly currency: string;
}

/** Decimal places of the minor unit. A currency that is not listed cannot be sold in. */
const minorDigits: Readonly<Record<string, number>> = { IDR: 0, JPY: 0, USD: 2, EUR: 2, SGD: 2, MYR: 2 };

export function minorDigitsOf(currency: string): number {
  const digits = minorDigits[currency];
  if (digits === undefined) throw new DomainError("INVALID_INPUT", `The currency ${currency} is not supported.`);
  return digits;
}

/** `"80.5"` of USD is 8050. Refuses what the currency cannot express instead of rounding it away. */
export function fromMajor(amount: string, currency: string): Money {
  const digits = minorDigitsOf(currency);
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,12}))?$/.exec(amount);
  if (match === null) throw new DomainError("INVALID_INPUT", `"${amount}" is not an amount of money.`);
  const [, sign, whole = "", rawFraction = ""] = match;
  const fraction = rawFraction.replace(/0+$/, "");
  if (fraction.length > digits) {
    throw new DomainError("INVALID_INPUT", `"${amount}" has more decimal places than ${currency} knows.`);
  }
  const minor = BigInt(whole + fraction.padEnd(digits, "0"));
  return { amountMinor: sign === "-" ? -minor : minor, currency };
}

/** `8050` of USD is `"80.50"`. */
export function toMajor(money: Money): string {
  const digits = minorDigitsOf(money.currency);
  const negative = money.amountMinor < 0n;
  const text = (negative ? -money.amountMinor : money.amountMinor).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  return `${negative ? "-" : ""}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ""}`;
}

/** `amountMinor` in `parts` equal parts, to the nearest whole; a half goes away from zero. */
export function divideRounded(amountMinor: bigint, parts: bigint): bigint {
  const half = amountMinor < 0n ? -parts : parts;
  return (amountMinor * 2n + half) / (parts * 2n);
}

/** The share of an amount that falls on `part` of `whole`, rounded once, half up. Nothing may be negative, nor the part more than the whole. */
export function prorate(amountMinor: bigint, part: bigint, whole: bigint): bigint {
  assert(amountMinor >= 0n && part >= 0n && whole > 0n && part <= whole, "a share is a part of a whole");
  return divideRounded(amountMinor * part, whole);
}
