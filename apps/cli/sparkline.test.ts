import { expect, test } from "vitest";
import { sparkline } from "./sparkline.ts";

test("values reach from nothing to the ceiling, and what was not measured is a dot", () => {
  expect(sparkline([0, 250, 500, null, 1_000, 4_000], 1_000, 72)).toBe("▁▂▄·██");
});

test("more values than columns show the highest of each column", () => {
  expect(sparkline([0, 1_000, 0, 0, null, null, null, 500], 1_000, 4)).toBe("█▁·▄");
});

test("a plan that allows nothing is drawn all the same", () => {
  expect(sparkline([0, null], 0, 72)).toBe("▁·");
});
