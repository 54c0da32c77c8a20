import { assert } from "../errors.ts";
import { prorate } from "../money.ts";
import type { InvoiceRow } from "./invoice.ts";

/**
 * The tax in a part of an invoice's total that comes after `before` of it. What is rounded is the tax up to the end of each part, so that
 * parts which are taken back one by one never come to more than the invoice's tax, and together to all of it.
 */
export function taxWithin(
  { taxMinor, totalMinor }: Pick<InvoiceRow, "taxMinor" | "totalMinor">,
  before: bigint,
  amountMinor: bigint,
): bigint {
  if (totalMinor === 0n) return 0n;
  return prorate(taxMinor, before + amountMinor, totalMinor) - prorate(taxMinor, before, totalMinor);
}

/**
 * `amountMinor` in shares in proportion to what is left of each, none of them more than that. Rounded like the parts above: what is
 * rounded is the sum up to each share.
 */
export function shareOut(left: readonly bigint[], amountMinor: bigint): readonly bigint[] {
  const whole = left.reduce((sum, each) => sum + each, 0n);
  assert(amountMinor >= 0n && amountMinor <= whole, "no more is shared out than is left");
  if (whole === 0n) return left.map(() => 0n);
  let before = 0n;
  return left.map((each) => {
    const share = prorate(amountMinor, before + each, whole) - prorate(amountMinor, before, whole);
    before += each;
    return share;
  });
}
