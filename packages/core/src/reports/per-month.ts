import { divideRounded } from "../money.ts";
import type { Interval } from "../periods.ts";

/** A year of 365 days has twelve months, and so a month is 73/72 of 30 days. */
const daysOfYear = 365n;
const thirtyDayYears = 12n * 30n;

const wholeBasisPoints = 10_000n;

/**
 * What a price brings in a month, in minor units and without the taxes that it contains: rounded once, half up, for one subscription.
 * Everything above it is a sum, so figures that are taken apart add up again.
 */
export function perMonth(amountMinor: bigint, interval: Interval, containedBasisPoints: number): bigint {
  const net = amountMinor * wholeBasisPoints;
  const gross = wholeBasisPoints + BigInt(containedBasisPoints);
  return interval === "P1M" ? divideRounded(net, gross) : divideRounded(net * daysOfYear, gross * thirtyDayYears);
}
