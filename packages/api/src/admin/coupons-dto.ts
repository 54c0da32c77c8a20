import type { DiscountDto } from "../coupons/dto.ts";

/** A coupon as operators see it. Its terms never change. */
export interface AdminCouponDto {
  readonly id: string;
  readonly code: string;
  readonly discount: DiscountDto;
  /** For so many periods of a subscription; null: for all. */
  readonly periods: number | null;
  /** By so many organizations; null: by any number. */
  readonly maxRedemptions: number | null;
  /** By how many it is had now. */
  readonly redeemed: number;
  /** Empty: for all plans. */
  readonly planIds: readonly string[];
  /** The only one that can have it; null: any. */
  readonly organizationId: string | null;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  readonly deactivatedAt: Date | null;
  readonly createdAt: Date;
}

export interface AdminCouponPageDto {
  readonly items: readonly AdminCouponDto[];
  readonly nextCursor: string | null;
}

export interface AdminCouponInput {
  readonly couponId: string;
}

export interface CreateCouponInput {
  /** 3 to 40 letters, digits, `-` and `_`; kept in capitals. */
  readonly code: string;
  readonly discount: DiscountDto;
  /** Without it, for all periods. */
  readonly periods?: number | undefined;
  readonly maxRedemptions?: number | undefined;
  /** Without them, for all plans. */
  readonly planIds?: readonly string[] | undefined;
  readonly organizationId?: string | undefined;
  /** When it can be redeemed. */
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
}
