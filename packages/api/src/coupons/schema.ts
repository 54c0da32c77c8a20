import { z } from "zod";
import { idempotencyKey, moneySchema, opaque, pageSchema, publicId, type Schema } from "../schema.ts";
import type { ApplyCouponInput, CouponDto, CouponPageDto, DiscountDto } from "./dto.ts";

const maxCodeCharacters = 100;

/** What cannot be a code at all is refused like one that nobody has. */
export const couponCode: Schema<string> = opaque(maxCodeCharacters);
export const applyCouponInput: Schema<ApplyCouponInput> = z.strictObject({
  subscriptionId: publicId,
  code: couponCode,
  idempotencyKey,
});

export const discountSchema: Schema<DiscountDto> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("percent"), basisPoints: z.int() }),
  z.strictObject({ kind: z.literal("amount"), amount: moneySchema }),
]);
export const couponSchema: Schema<CouponDto> = z.strictObject({
  id: z.string(),
  code: z.string(),
  discount: discountSchema,
  subscriptionId: z.string(),
  periodsLeft: z.int().nullable(),
  redeemedAt: z.date(),
});
export const couponPageSchema: Schema<CouponPageDto> = pageSchema(couponSchema);
