/** Parts that several nouns share. */

export interface MoneyDto {
  /** Whole minor units of the currency: cents, or Rupiah, which has none. */
  readonly amountMinor: bigint;
  /** ISO 4217 code. */
  readonly currency: string;
}

/** A tax on all lines together. */
export interface TaxDto {
  readonly name: string;
  /** Such as `11` or `7.25`. */
  readonly percent: string;
  /** The lines contain it; otherwise it comes on top of them. */
  readonly isInclusive: boolean;
  readonly amountMinor: bigint;
}

/** Half-open: `end` is the first moment that no longer belongs to it. */
export interface PeriodDto {
  readonly start: Date;
  readonly end: Date;
}

export interface OfferingRefDto {
  readonly slug: string;
  readonly name: string;
}

/** A page of a list. Hand `cursor` the `nextCursor` of the page before; it means nothing to any other list. */
export interface ListInput {
  readonly cursor?: string | undefined;
  /** 1 to 100; 50 unless told. */
  readonly limit?: number | undefined;
}

/** A part of what a period costs, as a line of its invoice will say it: quantity x unitAmount / perQuantity, rounded once, half up. */
export interface QuoteLineDto {
  readonly description: string;
  /** Of a discount in percent what it is taken off, and its unit amount is so many out of 10,000. */
  readonly quantity: bigint;
  readonly unitAmount: MoneyDto;
  readonly perQuantity: bigint;
  readonly amount: MoneyDto;
}
