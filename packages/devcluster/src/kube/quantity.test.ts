import { expect, test } from "vitest";
import { addQuantities, formatQuantity, parseQuantity } from "./quantity.ts";

test.each([
  ["0.1", "100m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["1000", "1k"],
  ["65536Ki", "64Mi"],
  ["67108864", "67108864"],
  ["1.5Gi", "1536Mi"],
  ["0", "0"],
  ["2e3", "2e3"],
  ["-1", "-1"],
  ["0.5", "500m"],
])("%s is written as %s", (given, written) => {
  const quantity = parseQuantity(given);
  expect(quantity === null ? null : formatQuantity(quantity)).toBe(written);
});

test.each(["", "1x", "Mi", "1 Gi", "--1", "1.2.3"])("%j is no quantity", (text) => {
  expect(parseQuantity(text)).toBeNull();
});

test("sums are exact and keep the form of the first addend that is not zero", () => {
  const sum = (a: string, b: string): string => formatQuantity(addQuantities(parseQuantity(a)!, parseQuantity(b)!));
  expect(sum("0", "32Mi")).toBe("32Mi");
  expect(sum("64Mi", "32Mi")).toBe("96Mi");
  expect(sum("100m", "50m")).toBe("150m");
  expect(sum("0.1", "0.2")).toBe("300m");
});
