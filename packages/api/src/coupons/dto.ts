import type { MoneyDto } from "../dto.ts";

export interface PercentDiscountDto {
  readonly kind: "percent";
  /** Hundredths of one percent: 1 to 10000. */
  readonly basisPoints: number;
}

export interface AmountDiscountDto {
  readonly kind: "amount";
  /** Once per period; never more than what it is taken off. */
  readonly amount: MoneyDto;
}

export type DiscountDto = PercentDiscountDto | AmountDiscountDto;

/** A coupon that the organization has, for one of its subscriptions. */
export interface CouponDto {
  readonly id: string;
  readonly code: string;
  readonly discount: DiscountDto;
  readonly subscriptionId: string;
  /** Invoices that it will still be on; null: all. */
  readonly periodsLeft: number | null;
  readonly redeemedAt: Date;
}

export interface CouponPageDto {
  readonly items: readonly CouponDto[];
  readonly nextCursor: string | null;
}

export interface ApplyCouponInput {
  readonly subscriptionId: string;
  /** 3 to 40 letters, digits, `-` and `_`, small or capital. */
  readonly code: string;
  /** 8 to 128 characters of `A-Z a-z 0-9 _ -`, made up by the client for this one intention. */
  readonly idempotencyKey: string;
}
