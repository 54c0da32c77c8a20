import { couponPlans, couponRedemptions, coupons } from "@sewa/db/schema";
import { and, desc, eq, inArray, isNull, lt, type SQL } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";
import type { CouponRow, RedemptionRow } from "./coupon.ts";

/** A coupon as operators see it. */
export interface CouponView {
  readonly coupon: CouponRow;
  readonly planIds: readonly string[];
}

/** A coupon as who redeemed it sees it. */
export interface RedemptionView {
  readonly redemption: RedemptionRow;
  readonly coupon: CouponRow;
}

/** Newest first. */
export async function listCoupons(ctx: CoreContext, input: PageInput): Promise<Page<CouponView>> {
  authorize(ctx.actor, "admin.coupons.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(coupons)
      .where(cursor === null ? undefined : lt(coupons.id, cursor))
      .orderBy(desc(coupons.id))
      .limit(limit + 1);
    const page = toPage(rows, limit, (row) => [row.id]);
    return { ...page, items: await withPlanIds(tx, page.items) };
  });
}

export async function getCoupon(ctx: CoreContext, couponId: string): Promise<CouponView> {
  authorize(ctx.actor, "admin.coupons.read");
  return ctx.transaction((tx) => getCouponView(tx, couponId));
}

export async function getCouponView(tx: Tx, couponId: string): Promise<CouponView> {
  const rows = await tx.sql.select().from(coupons).where(eq(coupons.id, couponId));
  const [view] = await withPlanIds(tx, rows);
  if (view === undefined) throw notFound("coupon");
  return view;
}

/** The organization's own, newest first; without those that were given back. */
export async function listRedemptions(ctx: CoreContext, input: PageInput): Promise<Page<RedemptionView>> {
  authorize(ctx.actor, "coupon.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await selectRedemptions(tx, cursor === null ? undefined : lt(couponRedemptions.id, cursor))
      .orderBy(desc(couponRedemptions.id))
      .limit(limit + 1);
    return toPage(rows, limit, ({ redemption }) => [redemption.id]);
  });
}

/** Of a coupon that the organization has; inside the transaction that gave it. */
export async function getRedemptionView(tx: Tx, couponId: string): Promise<RedemptionView> {
  const [view] = await selectRedemptions(tx, eq(couponRedemptions.couponId, couponId));
  assert(view !== undefined, "the coupon was redeemed");
  return view;
}

function selectRedemptions(tx: Tx, which: SQL | undefined) {
  return tx.sql
    .select({ redemption: couponRedemptions, coupon: coupons })
    .from(couponRedemptions)
    .innerJoin(coupons, eq(coupons.id, couponRedemptions.couponId))
    .where(and(eq(couponRedemptions.organizationId, organizationOf(tx)), isNull(couponRedemptions.returnedAt), which));
}

async function withPlanIds(tx: Tx, rows: readonly CouponRow[]): Promise<readonly CouponView[]> {
  if (rows.length === 0) return [];
  const named = await tx.sql
    .select()
    .from(couponPlans)
    .where(
      inArray(
        couponPlans.couponId,
        rows.map(({ id }) => id),
      ),
    );
  return rows.map((coupon) => ({
    coupon,
    planIds: named.filter(({ couponId }) => couponId === coupon.id).map(({ planId }) => planId),
  }));
}
