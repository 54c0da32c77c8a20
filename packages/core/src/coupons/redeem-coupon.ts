import { databaseErrorOf } from "@sewa/db";
import { couponRedemptions, coupons } from "@sewa/db/schema";
import { and, eq, isNull, sql } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { organizationOf, type Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { CouponRefusal, type Discount } from "./coupon.ts";
import { isRedeemable } from "./find-coupon.ts";

/**
 * Takes one of a coupon's redemptions for a subscription, by a conditional UPDATE: of many who ask for the last one at once, one gets
 * it. Refused like a wrong code. The coupon's row stays locked until the commit, so it is taken before the node pool's.
 */
export async function redeemCoupon(
  tx: Tx,
  { couponId, code, periods }: Discount,
  subscriptionId: string,
): Promise<void> {
  const taken = await tx.sql
    .update(coupons)
    .set({ redeemed: sql`${coupons.redeemed} + 1` })
    .where(and(eq(coupons.id, couponId), isRedeemable(tx)))
    .returning({ id: coupons.id });
  if (taken.length === 0) throw new CouponRefusal();
  await tx.sql
    .insert(couponRedemptions)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      couponId,
      subscriptionId,
      periodsLeft: periods,
      redeemedBy: formatActor(tx.ctx.actor),
      redeemedAt: tx.now,
    })
    .catch(refuseSecond);
  record(tx, { type: "coupon.redeemed", subscriptionId, subject: { type: "coupon", id: couponId }, data: { code } });
}

/** The organization asked for it twice at once. */
function refuseSecond(error: unknown): never {
  if (databaseErrorOf(error)?.constraint === "coupon_redemptions_once_key") throw new CouponRefusal();
  throw error;
}

/** An order that came to nothing gives its coupon back, for its organization and for all. Nothing to do without one, or twice. */
export async function returnCoupon(tx: Tx, subscriptionId: string): Promise<void> {
  const returned = await tx.sql
    .update(couponRedemptions)
    .set({ returnedAt: tx.now })
    .where(
      and(
        eq(couponRedemptions.organizationId, organizationOf(tx)),
        eq(couponRedemptions.subscriptionId, subscriptionId),
        isNull(couponRedemptions.returnedAt),
      ),
    )
    .returning({ couponId: couponRedemptions.couponId });
  for (const { couponId } of returned) {
    const [coupon] = await tx.sql
      .update(coupons)
      .set({ redeemed: sql`${coupons.redeemed} - 1` })
      .where(eq(coupons.id, couponId))
      .returning({ code: coupons.code });
    const data = { code: coupon?.code ?? "" };
    record(tx, { type: "coupon.returned", subscriptionId, subject: { type: "coupon", id: couponId }, data });
  }
}
