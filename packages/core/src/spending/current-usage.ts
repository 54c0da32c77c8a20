import { subscriptions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { amountOfLine, listUsageCosts } from "../billing/index.ts";
import { listUsagePrices, type UsagePrice, unitQuantityOf } from "../catalog/index.ts";
import { hourMs } from "../clock.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { notFound } from "../errors.ts";
import type { Period } from "../periods.ts";
import { authorize } from "../permissions.ts";
import { sumUsageOfPeriod } from "../usage/index.ts";

export interface MeterUsage extends UsagePrice {
  /** Base units in one unit: quantities are in base units. */
  readonly unitQuantity: bigint;
  readonly quantity: bigint;
  readonly amountMinor: bigint;
  /** At the end of the period, if it goes on as it did on average. */
  readonly projectedQuantity: bigint;
  readonly projectedAmountMinor: bigint;
}

/** What the use of the current period comes to, as far as it was recorded: the last hours may be missing. */
export interface CurrentUsage {
  readonly subscriptionId: string;
  /** Null before the first one has begun. */
  readonly period: Period | null;
  readonly currency: string;
  readonly meters: readonly MeterUsage[];
  readonly totalMinor: bigint;
  readonly projectedTotalMinor: bigint;
  /** Since when the app is stopped at its cap. */
  readonly cappedAt: Date | null;
}

export async function getCurrentUsage(ctx: CoreContext, subscriptionId: string): Promise<CurrentUsage> {
  authorize(ctx.actor, "usage.read");
  return ctx.transaction(async (tx) => {
    const [subscription] = await tx.sql
      .select()
      .from(subscriptions)
      .where(and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId)));
    if (subscription === undefined) throw notFound("subscription");
    const { currency, priceId, termNumber, periodIndex, currentPeriodStart, currentPeriodEnd, cappedAt } = subscription;
    const prices = (await listUsagePrices(tx, [priceId])).get(priceId) ?? [];
    const used = await sumUsageOfPeriod(tx, { subscriptionId, termNumber, periodIndex });
    const costs = await listUsageCosts(tx, subscription);
    const period =
      currentPeriodStart === null || currentPeriodEnd === null
        ? null
        : { start: currentPeriodStart, end: currentPeriodEnd };
    const meters = prices.map((price) => {
      const facts = { quantity: used.get(price.meter) ?? 0n, amountMinor: costs.get(price.meter) ?? 0n };
      return toMeterUsage(price, facts, period, tx.now);
    });
    const totalMinor = [...costs.values()].reduce((sum, minor) => sum + minor, 0n);
    const extraMinor = meters.reduce((sum, one) => sum + one.projectedAmountMinor - one.amountMinor, 0n);
    const projectedTotalMinor = totalMinor + extraMinor;
    return { subscriptionId, period, currency, meters, totalMinor, projectedTotalMinor, cappedAt };
  });
}

/** What is already owed stays; what is still to come is added at the price of now. */
export function toMeterUsage(
  price: UsagePrice,
  { quantity, amountMinor }: { readonly quantity: bigint; readonly amountMinor: bigint },
  period: Period | null,
  now: Date,
): MeterUsage {
  const projectedQuantity = project(quantity, period, now);
  const costOf = (used: bigint): bigint => amountOfLine({ ...price, kind: "usage", quantity: used });
  const grown = costOf(projectedQuantity) - costOf(quantity);
  const { meter, label, unit, unitAmountMinor, perQuantity, includedQuantity } = price;
  return {
    meter,
    label,
    unit,
    unitAmountMinor,
    perQuantity,
    includedQuantity,
    unitQuantity: unitQuantityOf(meter),
    quantity,
    amountMinor,
    projectedQuantity,
    projectedAmountMinor: amountMinor + grown,
  };
}

/** Linear. In its first hour a period tells nothing yet. */
function project(quantity: bigint, period: Period | null, now: Date): bigint {
  if (period === null || now >= period.end) return quantity;
  const elapsedMs = Math.max(now.getTime() - period.start.getTime(), hourMs);
  const wholeMs = Math.max(period.end.getTime() - period.start.getTime(), elapsedMs);
  return (quantity * BigInt(wholeMs)) / BigInt(elapsedMs);
}
