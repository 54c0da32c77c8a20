export { countTries } from "./count-tries.ts";
export { type CouponRow, type Discount, type DiscountLine, discountLine, discountMinor } from "./coupon.ts";
export { createCoupon, type NewCoupon, type NewDiscount } from "./create-coupon.ts";
export { deactivateCoupon, deleteCoupon } from "./end-coupon.ts";
export { findCoupon } from "./find-coupon.ts";
export {
  type CouponView,
  getCoupon,
  getRedemptionView,
  listCoupons,
  listRedemptions,
  type RedemptionView,
} from "./queries.ts";
export { redeemCoupon, returnCoupon } from "./redeem-coupon.ts";
export {
  findDiscountOf,
  findLiveRedemption,
  hasOpenUse,
  type LiveRedemption,
  readLiveRedemptions,
  returnPeriod,
  usePeriod,
} from "./use-coupon.ts";
