import fc from "fast-check";
import { expect, test } from "vitest";
import { ProviderRefused } from "./provider.ts";
import { sandboxScales } from "./sandbox-answers.ts";
import { fromGatewayAmount, rescale, toGatewayAmount } from "./scales.ts";

test.each([
  ["IDR", 50_000n, 5_000_000n],
  ["USD", 1_999n, 1_999n],
  ["JPY", 500n, 500n],
])("the sandbox is asked for the price in its own units: %s %d is %d", (currency, ours, theirs) => {
  expect(toGatewayAmount(ours, currency, sandboxScales)).toBe(theirs);
  expect(fromGatewayAmount(theirs, currency, sandboxScales)).toBe(ours);
});

test("what a gateway cannot say exactly is refused, and nothing is rounded", () => {
  const wholeDollars = { USD: 0 };
  expect(toGatewayAmount(1_900n, "USD", wholeDollars)).toBe(19n);
  for (const amount of [1n, 1_999n, -1n]) {
    expect(() => toGatewayAmount(amount, "USD", wholeDollars)).toThrow(ProviderRefused);
  }
  expect(fromGatewayAmount(5_000_050n, "IDR", sandboxScales)).toBeNull();
  expect(rescale(12_345n, 3, 2)).toBeNull();
  expect(rescale(12_340n, 3, 2)).toBe(1_234n);
});

test("a currency that one of both does not know is not sent; when it comes, it is told as the gateway counts it", () => {
  expect(() => toGatewayAmount(1n, "USD", { IDR: 2 })).toThrow("No money in USD goes through this gateway.");
  expect(() => toGatewayAmount(1n, "KWD", sandboxScales)).toThrow(ProviderRefused);
  expect(fromGatewayAmount(12_345n, "KWD", sandboxScales)).toBe(12_345n);
  expect(fromGatewayAmount(1n, "XAU", sandboxScales)).toBeNull();
});

test("there and back is the same amount, in every scale", () => {
  const digits = fc.nat(4);
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 15n), 10n ** 15n), digits, digits, (amount, from, to) => {
      const sent = rescale(amount, from, to);
      // Only towards fewer places something can be in the way.
      expect(sent === null ? to < from : rescale(sent, to, from) === amount).toBe(true);
    }),
  );
});
