import type { PricedItem } from "@sewa/db/schema";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deriveCharge, firstPeriod } from "../subscriptions/index.ts";
import { type Discount, discountBase, discountMinor } from "./coupon.ts";

const runs = 5_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const amounts = fc.bigInt(0n, 2n ** 53n);
const items: fc.Arbitrary<readonly PricedItem[]> = fc
  .array(fc.record({ quantity: fc.integer({ min: 1, max: 9 }), amount: amounts }), { minLength: 1, maxLength: 6 })
  .map((parts) =>
    parts.map(({ quantity, amount }, index) => ({
      kind: index === 0 ? "plan" : "parameter",
      description: `Part ${index}`,
      quantity,
      unitAmountMinor: amount.toString(),
    })),
  );
const terms = { couponId: "coupon", code: "HALF", periods: null, planIds: [] };
const percent = (basisPoints: number): Discount => ({ ...terms, kind: "percent", basisPoints, amountMinor: null });
const fixed = (amountMinor: bigint): Discount => ({ ...terms, kind: "amount", basisPoints: null, amountMinor });
const discounts: fc.Arbitrary<Discount> = fc.oneof(
  fc.integer({ min: 1, max: 10_000 }).map(percent),
  fc.bigInt(1n, 2n ** 53n).map(fixed),
);
const charge = (discount: Discount | null, parts: readonly PricedItem[]) =>
  deriveCharge({
    planId: "plan",
    priceId: "price",
    items: parts,
    intro: { setupMinor: 0n, trial: null },
    period: firstPeriod,
    discount,
  });

test(`F3 what is left and what is taken off are the whole, to the unit, in any order of the parts, and never negative (${runs} runs)`, () => {
  fc.assert(
    fc.property(discounts, items, (discount, parts) => {
      const whole = charge(null, parts).totalMinor;
      const taken = discountMinor(discount, "plan", parts);
      const { totalMinor } = charge(discount, parts);
      expect(totalMinor + taken).toBe(whole);
      expect(totalMinor).toBeGreaterThanOrEqual(0n);
      expect(taken).toBeGreaterThanOrEqual(0n);
      expect(charge(discount, parts.toReversed()).totalMinor).toBe(totalMinor);
    }),
    { numRuns: runs },
  );
});

test(`F3 a percentage is within half a unit of the exact share of all parts together, and exactly half goes up (${runs} runs)`, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), items, (basisPoints, parts) => {
      const exact = discountBase(parts) * BigInt(basisPoints);
      const distance = 2n * (discountMinor(percent(basisPoints), "plan", parts) * 10_000n - exact);
      expect(distance > -10_000n && distance <= 10_000n).toBe(true);
    }),
    { numRuns: runs },
  );
});

test("a line says how it came about, in words that a customer reads", () => {
  const parts: readonly PricedItem[] = [
    { kind: "plan", description: "Plan", quantity: 1, unitAmountMinor: "50001" },
    { kind: "parameter", description: "Cores", quantity: 2, unitAmountMinor: "10000" },
  ];
  expect(charge(percent(1_250), parts).lines.at(-1)).toEqual({
    kind: "discount",
    description: "Coupon HALF, 12.5 %",
    quantity: 70_001n,
    unitAmountMinor: 1_250n,
    perQuantity: 10_000n,
    priceId: null,
  });
  expect(charge(percent(1_250), parts).totalMinor).toBe(70_001n - 8_750n);
  expect(charge(fixed(1_000_000n), parts).lines.at(-1)).toMatchObject({ quantity: 1n, unitAmountMinor: 70_001n });
  expect(charge(fixed(1_000_000n), parts).totalMinor).toBe(0n);
  expect(charge({ ...percent(5_000), planIds: ["another"] }, parts).lines).toHaveLength(2);
});
