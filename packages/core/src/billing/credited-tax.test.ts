import fc from "fast-check";
import { expect, test } from "vitest";
import { shareOut, taxWithin } from "./credited-tax.ts";

const runs = 5_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, each) => total + each, 0n);

/** An invoice with its taxes, and the parts of its total that are taken back one after the other. */
const invoice = fc
  .array(fc.bigInt(0n, 10n ** 12n), { minLength: 1, maxLength: 5 })
  .chain((taxes) =>
    fc.record({
      taxes: fc.constant(taxes),
      netMinor: fc.bigInt(1n, 10n ** 12n),
      cuts: fc.array(fc.nat(1_000_000), { maxLength: 12 }),
    }),
  )
  .map(({ taxes, netMinor, cuts }) => {
    const taxMinor = sum(taxes);
    const totalMinor = netMinor + taxMinor;
    const ends = [...cuts.map((cut) => (totalMinor * BigInt(cut)) / 1_000_000n), totalMinor];
    return { taxes, taxMinor, totalMinor, ends: ends.toSorted((a, b) => (a < b ? -1 : Number(a > b))) };
  });

test(`F3 parts that are taken back one by one never come to more than the tax, and the last one takes the rest (${runs} runs)`, () => {
  fc.assert(
    fc.property(invoice, ({ taxes, taxMinor, totalMinor, ends }) => {
      let [before, back] = [0n, 0n];
      let left: readonly bigint[] = taxes;
      for (const end of ends) {
        const part = taxWithin({ taxMinor, totalMinor }, before, end - before);
        expect(part).toBeGreaterThanOrEqual(0n);
        // Nor is it more than the part itself: what was earned is never taken back below zero.
        expect(part).toBeLessThanOrEqual(end - before);
        const shares = shareOut(left, part);
        expect(sum(shares)).toBe(part);
        left = left.map((each, index) => each - (shares[index] ?? 0n));
        for (const each of [...shares, ...left]) expect(each).toBeGreaterThanOrEqual(0n);
        [before, back] = [end, back + part];
        expect(back).toBeLessThanOrEqual(taxMinor);
        // Within half a unit of what falls on everything that is taken back by then.
        const distance = 2n * (back * totalMinor - taxMinor * end);
        expect(distance <= totalMinor && distance > -totalMinor).toBe(true);
      }
      expect(back).toBe(taxMinor);
      expect(sum(left)).toBe(0n);
    }),
    { numRuns: runs },
  );
});

test("a third of an invoice three times is its tax once", () => {
  const asked = { taxMinor: 100n, totalMinor: 1_000n };
  expect([0n, 333n, 666n].map((before) => taxWithin(asked, before, 333n))).toEqual([33n, 34n, 33n]);
  expect(taxWithin(asked, 999n, 1n)).toBe(0n);
  expect(taxWithin({ taxMinor: 0n, totalMinor: 0n }, 0n, 0n)).toBe(0n);
  expect(shareOut([1n, 1n], 1n)).toEqual([1n, 0n]);
});
