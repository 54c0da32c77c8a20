import { applyCoupon, listRedemptions } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { CouponDto, CouponPageDto } from "./dto.ts";
import { applyCouponInput, couponPageSchema, couponSchema } from "./schema.ts";
import { toCouponDto } from "./to-dto.ts";

export const couponsRouter = {
  apply: organizationProcedure("coupon.apply")
    .input(applyCouponInput)
    .output(couponSchema)
    .mutation(async ({ ctx, input }): Promise<CouponDto> => {
      const subscriptionId = uuidOf("subscription", input.subscriptionId);
      return toCouponDto(await applyCoupon(coreContext(ctx), { ...input, subscriptionId }));
    }),

  list: organizationProcedure("coupon.read")
    .input(listInput)
    .output(couponPageSchema)
    .query(async ({ ctx, input }): Promise<CouponPageDto> =>
      toPageDto(await listRedemptions(coreContext(ctx), input), toCouponDto),
    ),
};
