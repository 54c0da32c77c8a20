import { z } from "zod";
import { couponCode, discountSchema } from "../coupons/schema.ts";
import { inputDate, maxAmountMinor, pageSchema, publicId, type Schema } from "../schema.ts";
import type { AdminCouponDto, AdminCouponInput, AdminCouponPageDto, CreateCouponInput } from "./money-dto.ts";

const maxCount = 1_000_000;
const maxPlans = 100;
const count = z.int().min(1).max(maxCount).optional();

export const adminCouponInput: Schema<AdminCouponInput> = z.strictObject({ couponId: publicId });
export const createCouponInput: Schema<CreateCouponInput> = z.strictObject({
  code: couponCode,
  discount: discountSchema.refine(
    (discount) => discount.kind === "percent" || discount.amount.amountMinor <= maxAmountMinor,
    "Take off less.",
  ),
  periods: count,
  maxRedemptions: count,
  planIds: z.array(publicId).max(maxPlans).optional(),
  organizationId: publicId.optional(),
  startsAt: inputDate.optional(),
  endsAt: inputDate.optional(),
});

export const adminCouponSchema: Schema<AdminCouponDto> = z.strictObject({
  id: z.string(),
  code: z.string(),
  discount: discountSchema,
  periods: z.int().nullable(),
  maxRedemptions: z.int().nullable(),
  redeemed: z.int(),
  planIds: z.array(z.string()),
  organizationId: z.string().nullable(),
  startsAt: z.date().nullable(),
  endsAt: z.date().nullable(),
  deactivatedAt: z.date().nullable(),
  createdAt: z.date(),
});
export const adminCouponPageSchema: Schema<AdminCouponPageDto> = pageSchema(adminCouponSchema);
