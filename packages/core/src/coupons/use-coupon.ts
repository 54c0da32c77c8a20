import { couponRedemptions, coupons, couponUses, invoices } from "@sewa/db/schema";
import { and, eq, gt, inArray, isNull, or, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import type { Discount } from "./coupon.ts";
import { toDiscount, toDiscounts } from "./find-coupon.ts";

export interface LiveRedemption {
  readonly redemptionId: string;
  /** Null: it has no end. */
  readonly periodsLeft: number | null;
  readonly discount: Discount;
}

/** The coupon that a subscription's next invoice gets, if it has one with periods left. The caller has locked the subscription. */
export async function findLiveRedemption(tx: Tx, subscriptionId: string): Promise<LiveRedemption | null> {
  return (await readLiveRedemptions(tx, [subscriptionId])).get(subscriptionId) ?? null;
}

/** The same of many subscriptions, of any organizations. */
export async function readLiveRedemptions(
  reader: Pick<Tx, "sql">,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, LiveRedemption>> {
  if (subscriptionIds.length === 0) return new Map();
  const rows = await reader.sql
    .select({ redemption: couponRedemptions, coupon: coupons })
    .from(couponRedemptions)
    .innerJoin(coupons, eq(coupons.id, couponRedemptions.couponId))
    .where(
      and(
        inArray(couponRedemptions.subscriptionId, [...subscriptionIds]),
        isNull(couponRedemptions.returnedAt),
        or(isNull(couponRedemptions.periodsLeft), gt(couponRedemptions.periodsLeft, 0)),
      ),
    );
  const discounts = await toDiscounts(
    reader,
    rows.map(({ coupon }) => coupon),
  );
  return new Map(
    rows.flatMap(({ redemption: { id: redemptionId, subscriptionId, periodsLeft }, coupon }) => {
      const discount = discounts.get(coupon.id);
      return discount === undefined ? [] : [[subscriptionId, { redemptionId, periodsLeft, discount }]];
    }),
  );
}

/** A period of it is in this invoice, which has just been opened with its line. */
export async function usePeriod(tx: Tx, redemptionId: string, invoiceId: string): Promise<void> {
  const organizationId = organizationOf(tx);
  await tx.sql.insert(couponUses).values({ invoiceId, organizationId, redemptionId, usedAt: tx.now });
  await addPeriods(tx, redemptionId, -1);
}

/** The invoice was voided: the period was not had. */
export async function returnPeriod(tx: Tx, invoiceId: string): Promise<void> {
  const returned = await tx.sql
    .update(couponUses)
    .set({ returnedAt: tx.now })
    .where(
      and(
        eq(couponUses.organizationId, organizationOf(tx)),
        eq(couponUses.invoiceId, invoiceId),
        isNull(couponUses.returnedAt),
      ),
    )
    .returning({ redemptionId: couponUses.redemptionId });
  for (const { redemptionId } of returned) await addPeriods(tx, redemptionId, 1);
}

/** What an invoice was discounted by; null for one that was not. */
export async function findDiscountOf(tx: Tx, invoiceId: string): Promise<Discount | null> {
  const [row] = await tx.sql
    .select({ coupon: coupons })
    .from(couponUses)
    .innerJoin(couponRedemptions, eq(couponRedemptions.id, couponUses.redemptionId))
    .innerJoin(coupons, eq(coupons.id, couponRedemptions.couponId))
    .where(
      and(
        eq(couponUses.organizationId, organizationOf(tx)),
        eq(couponUses.invoiceId, invoiceId),
        isNull(couponUses.returnedAt),
      ),
    );
  return row === undefined ? null : toDiscount(tx, row.coupon);
}

/** Whether an invoice that may still be voided holds a period, which would come back then. */
export async function hasOpenUse(tx: Tx, subscriptionId: string): Promise<boolean> {
  const rows = await tx.sql
    .select({ id: couponUses.invoiceId })
    .from(couponUses)
    .innerJoin(invoices, eq(invoices.id, couponUses.invoiceId))
    .where(
      and(
        eq(couponUses.organizationId, organizationOf(tx)),
        eq(invoices.subscriptionId, subscriptionId),
        eq(invoices.status, "open"),
      ),
    );
  return rows.length > 0;
}

/** One without an end has no number to change. */
async function addPeriods(tx: Tx, redemptionId: string, count: 1 | -1): Promise<void> {
  const changed = await tx.sql
    .update(couponRedemptions)
    .set({ periodsLeft: sql`${couponRedemptions.periodsLeft} + ${count}` })
    .where(and(eq(couponRedemptions.organizationId, organizationOf(tx)), eq(couponRedemptions.id, redemptionId)))
    .returning({ id: couponRedemptions.id });
  assert(changed.length === 1, "a redemption is never deleted");
}
