import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeDecimal, sumDecimals } from "./decimal.ts";
import { parseBytes, parseCpu } from "./quantity.ts";

describe("B60 CPU in thousandths", () => {
  test.each([
    ["250m", 250],
    ["1", 1_000],
    ["0.5", 500],
    ["1.25", 1_250],
    ["1024", 1_024_000],
  ])("%s", (text, millis) => {
    expect(parseCpu(text)).toBe(millis);
  });
  test.each(["", "0", "0m", "-1", "1e3", "0.1m", "∞", "1 ", "+1", "1.", ".5", "0.0001", "2000", "1M", "0x10", "١"])(
    "refused: %j",
    (text) => {
      expect(parseCpu(text)).toBeNull();
    },
  );
});

describe("B60 bytes", () => {
  test.each([
    ["512Mi", 536_870_912],
    ["1Gi", 1_073_741_824],
    ["1.5Gi", 1_610_612_736],
    ["500M", 500_000_000],
    ["1k", 1_000],
    ["4096", 4_096],
    ["0.5Ki", 512],
  ])("%s", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });
  test.each(["", "0", "0Gi", "-1Gi", "1e9", "1GB", "1gi", "1 Gi", "0.5", "0.1Ki", "9999999Ti", "1m", "Infinity"])(
    "refused: %j",
    (text) => {
      expect(parseBytes(text)).toBeNull();
    },
  );
});

test("for any text: null, or a positive whole number that is exact", () => {
  const part = fc.constantFrom("0", "1", "9", ".", "m", "M", "Mi", "Gi", "e", "-", " ");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const values = [parseCpu(parts.join("")), parseBytes(parts.join(""))];
      expect(values.filter((value) => value !== null && !(Number.isSafeInteger(value) && value > 0))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

describe("decimal amounts", () => {
  test.each([
    ["80", "80"],
    ["80.50", "80.5"],
    ["0.0", "0"],
    ["100", "100"],
    ["0.0100", "0.01"],
  ])("%s is written %s", (text, normal) => {
    expect(normalizeDecimal(text)).toBe(normal);
  });
  test("sums are exact where floating point is not", () => {
    expect(sumDecimals(["0.1", "0.2"])).toBe("0.3");
    expect(sumDecimals(["999999999999999.9999", "0.0001"])).toBe("1000000000000000");
    expect(sumDecimals([])).toBe("0");
  });
  test("the sum of any amounts does not depend on their order", () => {
    const amount = fc
      .tuple(fc.nat(), fc.nat(9_999))
      .map(([whole, part]) => `${whole}.${String(part).padStart(4, "0")}`);
    fc.assert(
      fc.property(fc.array(amount), (amounts) => {
        expect(sumDecimals(amounts)).toBe(sumDecimals(amounts.toReversed()));
      }),
    );
  });
});
