import { invoiceLines } from "@sewa/db/schema";
import { asc, eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { listOfferings } from "../catalog/index.ts";
import { type OrderView, placeOrder, type Quote, quoteOrder } from "../orders/index.ts";
import { type CouponView, createCoupon, type NewCoupon } from "../coupons/index.ts";

export const half: NewCoupon = {
  code: "HALF",
  discount: { kind: "percent", basisPoints: 5_000 },
  periods: null,
  maxRedemptions: null,
  startsAt: null,
  endsAt: null,
  planIds: [],
  organizationId: null,
};

export function givenCoupon(ctx: CoreContext, terms: Partial<NewCoupon> = {}): Promise<CouponView> {
  return createCoupon(ctx, { ...half, ...terms });
}

export async function planIdOf(ctx: CoreContext, slug: string): Promise<string> {
  const { items } = await listOfferings(ctx, {});
  const plan = items.flatMap(({ plans }) => plans).find((known) => known.slug === slug);
  if (plan === undefined) throw new Error(`There is no plan ${slug}.`);
  return plan.id;
}

export async function quoteWith(ctx: CoreContext, couponCode: string, plan = "small"): Promise<Quote> {
  return quoteOrder(ctx, { planId: await planIdOf(ctx, plan), parameters: {}, couponCode });
}

/** As a portal does: quote first, then place. */
export async function orderWith(ctx: CoreContext, couponCode: string, plan = "small"): Promise<OrderView> {
  const planId = await planIdOf(ctx, plan);
  const { priceKey } = await quoteOrder(ctx, { planId, parameters: {}, couponCode });
  const idempotencyKey = ctx.ids.next();
  return placeOrder(ctx, { planId, parameters: {}, couponCode, name: "Shop", priceKey, idempotencyKey });
}

/** The code with which it was refused, or `none`. */
export function refusalOf(answer: PromiseSettledResult<unknown>): string {
  return answer.status === "fulfilled" ? "none" : String((answer.reason as { code?: unknown }).code);
}

/** `kind amount` of an invoice's lines. */
export async function linesOf(ctx: CoreContext, invoiceId: string): Promise<readonly string[]> {
  const lines = await ctx.db.drizzle
    .select()
    .from(invoiceLines)
    .where(eq(invoiceLines.invoiceId, invoiceId))
    .orderBy(asc(invoiceLines.position));
  return lines.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`);
}
