import { couponPlans, couponRedemptions, coupons } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { authorize } from "../permissions.ts";
import type { CouponRow } from "./coupon.ts";
import { type CouponView, getCouponView } from "./queries.ts";

/** Nobody redeems it any more; who has it keeps it. Said twice it changes nothing. */
export async function deactivateCoupon(ctx: CoreContext, couponId: string): Promise<CouponView> {
  authorize(ctx.actor, "admin.coupons.write");
  return ctx.transaction(async (tx) => {
    const { code, deactivatedAt } = await lockCoupon(tx, couponId);
    if (deactivatedAt === null) {
      await tx.sql.update(coupons).set({ deactivatedAt: tx.now }).where(eq(coupons.id, couponId));
      writeOperatorAudit(tx, {
        action: "coupon.deactivated",
        subject: { type: "coupon", id: couponId },
        after: { code },
      });
    }
    return getCouponView(tx, couponId);
  });
}

/** Only one that nobody ever redeemed: CONFLICT otherwise. Its code is free again. Answers with what it was. */
export async function deleteCoupon(ctx: CoreContext, couponId: string): Promise<CouponView> {
  authorize(ctx.actor, "admin.coupons.write");
  return ctx.transaction(async (tx) => {
    const { code } = await lockCoupon(tx, couponId);
    const view = await getCouponView(tx, couponId);
    const used = await tx.sql
      .select({ id: couponRedemptions.id })
      .from(couponRedemptions)
      .where(eq(couponRedemptions.couponId, couponId))
      .limit(1);
    if (used.length > 0) throw new DomainError("CONFLICT", "The coupon was redeemed. Deactivate it instead.");
    await tx.sql.delete(couponPlans).where(eq(couponPlans.couponId, couponId));
    await tx.sql.delete(coupons).where(eq(coupons.id, couponId));
    writeOperatorAudit(tx, {
      action: "coupon.deleted",
      subject: { type: "coupon", id: couponId },
      before: { code },
    });
    return view;
  });
}

/** Who redeems it at this moment has it first, or finds it gone. */
async function lockCoupon(tx: Tx, couponId: string): Promise<CouponRow> {
  const [row] = await tx.sql.select().from(coupons).where(eq(coupons.id, couponId)).for("update");
  if (row === undefined) throw notFound("coupon");
  return row;
}
