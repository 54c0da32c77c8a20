import type { taxRates } from "@sewa/db/schema";
import { assert, DomainError } from "../errors.ts";
import { divideRounded } from "../money.ts";

export type TaxRateRow = typeof taxRates.$inferSelect;

/** All of it, in hundredths of a percent; also what inclusive rates may come to together. */
export const wholeBasisPoints = 10_000n;

/** One tax on everything that an invoice asks for. */
export interface Tax {
  readonly taxRateId: string;
  readonly name: string;
  readonly basisPoints: number;
  readonly isInclusive: boolean;
  readonly baseMinor: bigint;
  readonly amountMinor: bigint;
}

/** `net + tax = total`; `added` is the part of the tax that prices did not contain. */
export interface TaxedAmount {
  readonly taxes: readonly Tax[];
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly addedMinor: bigint;
  readonly totalMinor: bigint;
}

/**
 * What taxes make of the sum of all lines. Rounded once per rate, half up, and never per line. Inclusive rates are taken out of the sum
 * together, so that each stands on the same net amount, on which exclusive ones are then put. Nothing to pay is taxed with nothing.
 */
export function deriveTaxes(linesMinor: bigint, rates: readonly TaxRateRow[]): TaxedAmount {
  assert(linesMinor >= 0n, "nobody is asked for less than nothing");
  const applied = linesMinor === 0n ? [] : rates;
  const contained = applied.filter(({ isInclusive }) => isInclusive);
  const gross = wholeBasisPoints + sum(contained.map(({ basisPoints }) => BigInt(basisPoints)));
  const partOf = ({ basisPoints }: TaxRateRow): bigint => divideRounded(linesMinor * BigInt(basisPoints), gross);
  const netMinor = linesMinor - sum(contained.map(partOf));
  assert(
    netMinor >= 0n,
    "inclusive rates are bounded together, so that however they round there is not more tax than price",
  );
  const taxes = applied.map((rate): Tax => {
    const { id: taxRateId, name, basisPoints, isInclusive } = rate;
    const added = divideRounded(netMinor * BigInt(basisPoints), wholeBasisPoints);
    const amountMinor = isInclusive ? partOf(rate) : added;
    return { taxRateId, name, basisPoints, isInclusive, baseMinor: netMinor, amountMinor };
  });
  const taxMinor = sum(taxes.map(({ amountMinor }) => amountMinor));
  const totalMinor = netMinor + taxMinor;
  return { taxes, netMinor, taxMinor, addedMinor: totalMinor - linesMinor, totalMinor };
}

/** Of all rates those that hold at that moment for a customer of that country. */
export function pickRates(rates: readonly TaxRateRow[], country: string | null, at: Date): readonly TaxRateRow[] {
  return rates.filter(
    (rate) =>
      rate.startsAt <= at &&
      (rate.endsAt === null || rate.endsAt > at) &&
      (rate.country === null || rate.country === country),
  );
}

/** `"11"` and `"11.5"` percent are 1,100 and 1,150; anything finer is refused instead of rounded away. */
export function toBasisPoints(percent: string): number {
  const match = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(percent);
  const basisPoints = match === null ? 0 : Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  if (basisPoints >= 1 && basisPoints <= Number(wholeBasisPoints)) return basisPoints;
  const message = "Write a percentage from 0.01 to 100 with at most two decimals, such as 11 or 7.25.";
  throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "percent", message }] });
}

/** 1,150 is `"11.5"`. */
export function toPercent(basisPoints: number): string {
  const text = String(basisPoints).padStart(3, "0");
  return `${text.slice(0, -2)}.${text.slice(-2)}`.replace(/\.?0+$/, "");
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
