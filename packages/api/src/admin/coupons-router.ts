import {
  type CouponView,
  createCoupon,
  deactivateCoupon,
  deleteCoupon,
  getCoupon,
  listCoupons,
  type NewCoupon,
  toPublicId,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import type { DiscountDto } from "../coupons/dto.ts";
import { toDiscountDto } from "../coupons/to-dto.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type { AdminCouponDto, AdminCouponPageDto, CreateCouponInput } from "./money-dto.ts";
import { adminCouponInput, adminCouponPageSchema, adminCouponSchema, createCouponInput } from "./coupons-schema.ts";

export const adminCouponsRouter = {
  // A code is there once, so asking again makes no second coupon and no key is needed.
  create: operatorProcedure("admin.coupons.write")
    .input(createCouponInput)
    .output(adminCouponSchema)
    .mutation(async ({ ctx, input }): Promise<AdminCouponDto> =>
      toAdminCouponDto(await createCoupon(coreContext(ctx), toNewCoupon(input))),
    ),

  deactivate: operatorProcedure("admin.coupons.write")
    .input(adminCouponInput)
    .output(adminCouponSchema)
    .mutation(async ({ ctx, input }): Promise<AdminCouponDto> =>
      toAdminCouponDto(await deactivateCoupon(coreContext(ctx), uuidOf("coupon", input.couponId))),
    ),

  // Answers with what it was.
  delete: operatorProcedure("admin.coupons.write")
    .input(adminCouponInput)
    .output(adminCouponSchema)
    .mutation(async ({ ctx, input }): Promise<AdminCouponDto> =>
      toAdminCouponDto(await deleteCoupon(coreContext(ctx), uuidOf("coupon", input.couponId))),
    ),

  list: operatorProcedure("admin.coupons.read")
    .input(listInput)
    .output(adminCouponPageSchema)
    .query(async ({ ctx, input }): Promise<AdminCouponPageDto> =>
      toPageDto(await listCoupons(coreContext(ctx), input), toAdminCouponDto),
    ),

  get: operatorProcedure("admin.coupons.read")
    .input(adminCouponInput)
    .output(adminCouponSchema)
    .query(async ({ ctx, input }): Promise<AdminCouponDto> =>
      toAdminCouponDto(await getCoupon(coreContext(ctx), uuidOf("coupon", input.couponId))),
    ),
};

function toNewCoupon(input: CreateCouponInput): NewCoupon {
  const { code, discount, planIds = [], organizationId } = input;
  return {
    code,
    discount: toNewDiscount(discount),
    periods: input.periods ?? null,
    maxRedemptions: input.maxRedemptions ?? null,
    startsAt: input.startsAt ?? null,
    endsAt: input.endsAt ?? null,
    planIds: planIds.map((id) => uuidOf("plan", id)),
    organizationId: organizationId === undefined ? null : uuidOf("organization", organizationId),
  };
}

function toNewDiscount(discount: DiscountDto): NewCoupon["discount"] {
  return discount.kind === "percent" ? discount : { kind: "amount", ...discount.amount };
}

function toAdminCouponDto({ coupon, planIds }: CouponView): AdminCouponDto {
  const { id, code, periods, maxRedemptions, redeemed, organizationId, startsAt, endsAt, deactivatedAt, createdAt } =
    coupon;
  return {
    id: toPublicId("coupon", id),
    code,
    discount: toDiscountDto(coupon),
    periods,
    maxRedemptions,
    redeemed,
    planIds: planIds.map((planId) => toPublicId("plan", planId)),
    organizationId: organizationId === null ? null : toPublicId("organization", organizationId),
    startsAt,
    endsAt,
    deactivatedAt,
    createdAt,
  };
}
