/** A tax on every invoice that is opened while it holds. */
export interface TaxRateDto {
  readonly id: string;
  readonly name: string;
  /** Such as `11` or `7.25`. */
  readonly percent: string;
  /** Prices contain it already. */
  readonly isInclusive: boolean;
  /** Null: customers of all countries. */
  readonly country: string | null;
  readonly startsAt: Date;
  readonly endsAt: Date | null;
}

export interface TaxRatePageDto {
  readonly items: readonly TaxRateDto[];
  readonly nextCursor: string | null;
}

export interface CreateTaxRateInput {
  readonly name: string;
  readonly percent: string;
  readonly isInclusive: boolean;
  readonly country?: string | undefined;
  /** Now unless told, never earlier. */
  readonly startsAt?: Date | undefined;
}

export interface EndTaxRateInput {
  readonly taxRateId: string;
  readonly endsAt?: Date | undefined;
}
