import { type CouponRow, type RedemptionView, toPublicId } from "@sewa/core";
import type { CouponDto, DiscountDto } from "./dto.ts";

export function toCouponDto({ redemption, coupon }: RedemptionView): CouponDto {
  const { id, subscriptionId, periodsLeft, redeemedAt } = redemption;
  return {
    id: toPublicId("redemption", id),
    code: coupon.code,
    discount: toDiscountDto(coupon),
    subscriptionId: toPublicId("subscription", subscriptionId),
    periodsLeft,
    redeemedAt,
  };
}

/** The database has one of the two, as the kind says. */
export function toDiscountDto({ kind, basisPoints, amountMinor, currency }: CouponRow): DiscountDto {
  return kind === "percent"
    ? { kind, basisPoints: basisPoints ?? 0 }
    : { kind, amount: { amountMinor: amountMinor ?? 0n, currency: currency ?? "" } };
}
