import { toPercent } from "@sewa/core";
import type { TaxDto } from "./dto.ts";

export function toTaxDto(tax: {
  readonly name: string;
  readonly basisPoints: number;
  readonly isInclusive: boolean;
  readonly amountMinor: bigint;
}): TaxDto {
  const { name, basisPoints, isInclusive, amountMinor } = tax;
  return { name, percent: toPercent(basisPoints), isInclusive, amountMinor };
}
