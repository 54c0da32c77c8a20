import { DomainError } from "../errors.ts";
import { minorDigitsOf } from "../money.ts";
import { ProviderRefused } from "./provider.ts";

/**
 * Decimal places in which a gateway counts, by currency. Gateways differ: one counts the Rupiah in whole ones, as we do, the next in
 * sen, and who multiplies by a hundred always or never takes a hundred times too much or too little. Each provider has a table
 * of its own; a currency that is not in it is not sent.
 */
export type GatewayScales = Readonly<Record<string, number>>;

/** An amount of ours as the gateway counts it. Throws `ProviderRefused` where that cannot be said exactly. */
export function toGatewayAmount(amountMinor: bigint, currency: string, scales: GatewayScales): bigint {
  const theirs = scales[currency];
  const ours = ourDigits(currency);
  if (theirs === undefined || ours === null) {
    throw new ProviderRefused("currency_unsupported", `No money in ${currency} goes through this gateway.`);
  }
  const amount = rescale(amountMinor, ours, theirs);
  if (amount === null) {
    throw new ProviderRefused("amount_inexact", `The gateway cannot say ${amountMinor} of ${currency} exactly.`);
  }
  return amount;
}

/**
 * An amount of the gateway in our minor units; null where that cannot be said exactly or nobody knows the scale. A currency that we do
 * not sell in has no minor units of ours: it is told in those of the gateway, so that money which came is not kept secret.
 */
export function fromGatewayAmount(amount: bigint, currency: string, scales: GatewayScales): bigint | null {
  const theirs = scales[currency];
  return theirs === undefined ? null : rescale(amount, theirs, ourDigits(currency) ?? theirs);
}

/** From so many decimal places to so many others, or null: nothing is rounded. */
export function rescale(amount: bigint, from: number, to: number): bigint | null {
  if (to >= from) return amount * 10n ** BigInt(to - from);
  const factor = 10n ** BigInt(from - to);
  return amount % factor === 0n ? amount / factor : null;
}

function ourDigits(currency: string): number | null {
  try {
    return minorDigitsOf(currency);
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}
