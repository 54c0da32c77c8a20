import { couponPlans, couponRedemptions, coupons } from "@sewa/db/schema";
import { and, eq, gt, inArray, isNull, lt, lte, or, type SQL } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type CouponRow, CouponRefusal, type Discount, readCode } from "./coupon.ts";

/** The coupon of a code, if this organization could redeem it now for this plan; otherwise the one refusal. */
export async function findCoupon(
  tx: Tx,
  input: { readonly code: string; readonly planId: string; readonly currency: string },
): Promise<Discount> {
  const code = readCode(input.code);
  if (code === null) throw new CouponRefusal();
  const [row] = await tx.sql
    .select()
    .from(coupons)
    .where(and(eq(coupons.code, code), isRedeemable(tx)));
  if (row === undefined || (row.kind === "amount" && row.currency !== input.currency)) throw new CouponRefusal();
  const discount = await toDiscount(tx, row);
  const isForPlan = discount.planIds.length === 0 || discount.planIds.includes(input.planId);
  if (!isForPlan || (await hasCoupon(tx, row.id))) throw new CouponRefusal();
  return discount;
}

/** Within its window, not switched off, not used up, and not another organization's. */
export function isRedeemable(tx: Tx): SQL | undefined {
  return and(
    isNull(coupons.deactivatedAt),
    or(isNull(coupons.startsAt), lte(coupons.startsAt, tx.now)),
    or(isNull(coupons.endsAt), gt(coupons.endsAt, tx.now)),
    or(isNull(coupons.maxRedemptions), lt(coupons.redeemed, coupons.maxRedemptions)),
    or(isNull(coupons.organizationId), eq(coupons.organizationId, organizationOf(tx))),
  );
}

export async function toDiscount(tx: Tx, row: CouponRow): Promise<Discount> {
  const discount = (await toDiscounts(tx, [row])).get(row.id);
  assert(discount !== undefined, "each coupon is a discount");
  return discount;
}

/** By coupon. */
export async function toDiscounts(
  reader: Pick<Tx, "sql">,
  rows: readonly CouponRow[],
): Promise<ReadonlyMap<string, Discount>> {
  if (rows.length === 0) return new Map();
  const ids = [...new Set(rows.map(({ id }) => id))];
  const named = await reader.sql.select().from(couponPlans).where(inArray(couponPlans.couponId, ids));
  return new Map(
    rows.map(({ id: couponId, code, kind, basisPoints, amountMinor, periods }) => {
      const planIds = named.filter((row) => row.couponId === couponId).map(({ planId }) => planId);
      return [couponId, { couponId, code, kind, basisPoints, amountMinor, periods, planIds }];
    }),
  );
}

async function hasCoupon(tx: Tx, couponId: string): Promise<boolean> {
  const rows = await tx.sql
    .select({ id: couponRedemptions.id })
    .from(couponRedemptions)
    .where(
      and(
        eq(couponRedemptions.organizationId, organizationOf(tx)),
        eq(couponRedemptions.couponId, couponId),
        isNull(couponRedemptions.returnedAt),
      ),
    );
  return rows.length > 0;
}
