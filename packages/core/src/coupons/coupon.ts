import type { couponRedemptions, coupons, PricedItem } from "@sewa/db/schema";
import { DomainError } from "../errors.ts";
import { divideRounded } from "../money.ts";

export type CouponRow = typeof coupons.$inferSelect;
export type RedemptionRow = typeof couponRedemptions.$inferSelect;

/** What a coupon takes off, and of which plans; none named means all. */
export interface Discount extends Pick<CouponRow, "code" | "kind" | "basisPoints" | "amountMinor" | "periods"> {
  readonly couponId: string;
  readonly planIds: readonly string[];
}

/** One refusal for all that is wrong with a code, so that an answer tells a guesser nothing. */
export class CouponRefusal extends DomainError {
  constructor() {
    super("NOT_FOUND", "Coupon not valid.");
  }
}

/** As codes are kept, or null for what cannot be one. */
export function readCode(text: string): string | null {
  return /^[A-Za-z0-9_-]{3,40}$/.test(text) ? text.toUpperCase() : null;
}

const basisPointsOfAll = 10_000n;

/** What a coupon is about: the plan, its choices and add-ons. Neither what is paid once nor what was used. */
const discounted: ReadonlySet<string> = new Set<PricedItem["kind"]>(["plan", "parameter", "addon"]);

export function discountBase(items: readonly Pick<PricedItem, "kind" | "quantity" | "unitAmountMinor">[]): bigint {
  return items
    .filter(({ kind }) => discounted.has(kind))
    .reduce((sum, { quantity, unitAmountMinor }) => sum + BigInt(quantity) * BigInt(unitAmountMinor), 0n);
}

export interface DiscountLine {
  readonly kind: "discount";
  readonly description: string;
  readonly quantity: bigint;
  readonly unitAmountMinor: bigint;
  readonly perQuantity: bigint;
  readonly priceId: null;
}

/** A line says how it came about: so many basis points of the base, or an amount that is never above it. Null where nothing is taken off. */
export function discountLine(discount: Discount, planId: string, items: readonly PricedItem[]): DiscountLine | null {
  const base = discountBase(items);
  if (base === 0n || !isFor(discount, planId)) return null;
  const words = { kind: "discount", priceId: null } as const;
  const { code, basisPoints, amountMinor } = discount;
  if (basisPoints !== null)
    return {
      ...words,
      description: `Coupon ${code}, ${formatPercent(basisPoints)}`,
      quantity: base,
      unitAmountMinor: BigInt(basisPoints),
      perQuantity: basisPointsOfAll,
    };
  const taken = amountMinor === null || amountMinor > base ? base : amountMinor;
  return { ...words, description: `Coupon ${code}`, quantity: 1n, unitAmountMinor: taken, perQuantity: 1n };
}

/** What the line takes off, as a positive amount: rounded once, half up. */
export function discountMinor(discount: Discount, planId: string, items: readonly PricedItem[]): bigint {
  const line = discountLine(discount, planId, items);
  return line === null ? 0n : divideRounded(line.quantity * line.unitAmountMinor, line.perQuantity);
}

function isFor({ planIds }: Discount, planId: string): boolean {
  return planIds.length === 0 || planIds.includes(planId);
}

/** 1250 is `12.5 %`. */
function formatPercent(basisPoints: number): string {
  return `${basisPoints / 100} %`;
}
