import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlueprintError, BlueprintPriceError } from "./issue.ts";
import { parseBlueprint } from "./parse-blueprint.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import { priceBlueprint } from "./price-blueprint.ts";
import type { BlueprintPrice } from "./price-blueprint.ts";
import { squidexText } from "./testing/definitions.ts";
import type { ParameterValues } from "./validate-parameters.ts";

function refusal(blueprint: Blueprint, values: ParameterValues): unknown {
  try {
    return priceBlueprint(blueprint, values);
  } catch (error) {
    return error;
  }
}

const squidex = parseBlueprint(squidexText);

test("a priced choice costs its price", () => {
  expect(priceBlueprint(squidex, { domain: "a.example", plan: "cores_4" })).toEqual({
    lines: [{ target: "${parameters.plan}", value: "cores_4", label: "4 Cores, 8 GB RAM, 160 GB SSD", amount: "80" }],
    total: "80",
  });
});

describe("no matching price is refused and never free", () => {
  test.each([
    ["an unpriced choice", { plan: "cores_8" }, "cores_8"],
    ["no choice", {}, null],
  ])("%s", (_name, values, value) => {
    expect(refusal(squidex, values)).toMatchObject({
      name: "BlueprintPriceError",
      code: "NO_PRICE",
      target: "${parameters.plan}",
      value,
      issues: [{ path: "prices[0].target", line: 45, column: 11 }],
    });
  });

  test("a choice that does not exist", () => {
    expect(() => priceBlueprint(squidex, { plan: "cores_99" })).toThrow(BlueprintError);
    expect(() => priceBlueprint(squidex, { plam: "cores_4" })).toThrow(/no parameter plam/);
  });
});

describe("prices add up exactly", () => {
  const blueprint = parseBlueprint(`
parameters:
- { name: nodes, type: integer, default: 1 }
- { name: backup, type: boolean, default: false }
settings: [{ name: region, type: string, default: asia }]
prices:
- { label: Base, amount: "0.10" }
- { target: "\${parameters.nodes}", test: "\${parameters.nodes <= 2}", amount: 20.20, label: Few }
- { target: "\${parameters.nodes}", test: "\${parameters.nodes < 10}", amount: 60 }
- { target: "\${parameters.backup}", test: true, amount: "5.005" }
- { target: "\${parameters.backup}", test: false, amount: 0 }
- { target: "\${env.region}-\${parameters.nodes > 5}", test: asia-true, amount: 1000000000000 }
- { target: "\${env.region}-\${parameters.nodes > 5}", amount: 0 }
`);
  test.each([
    [{}, "20.3", ["0.1", "20.2", "0", "0"]],
    [{ backup: true }, "25.305", ["0.1", "20.2", "5.005", "0"]],
    [{ nodes: 6 }, "1000000000060.1", ["0.1", "60", "0", "1000000000000"]],
  ])("%j", (values, total, amounts) => {
    const price = priceBlueprint(blueprint, values);
    expect(price.total).toBe(total);
    expect(price.lines.map(({ amount }) => amount)).toEqual(amounts);
  });

  test("the operator's settings decide where they are asked", () => {
    expect(priceBlueprint(blueprint, { nodes: 6 }, { region: "eu" }).total).toBe("60.1");
  });

  test("a condition that fits nothing is refused", () => {
    expect(() => priceBlueprint(blueprint, { nodes: 10 })).toThrow(/No price matches 10/);
  });
});

test("a blueprint without prices leaves the price to its plans", () => {
  expect(priceBlueprint(parseBlueprint("name: Free"), {})).toEqual({ lines: [], total: "0" });
});

test("a price test that cannot be evaluated is an error, not a mismatch", () => {
  const text = `parameters: [{ name: n, type: integer }]\nprices: [{ target: x, test: "\${1 / parameters.n == 1}", amount: 1 }]`;
  expect(() => priceBlueprint(parseBlueprint(text), { n: 0 })).toThrow(/not a finite number/);
});

test("for any prices and any choice: the sum of the matching prices, or NO_PRICE", () => {
  const value = fc.stringMatching(/^[a-z]{1,3}$/);
  const cents = fc.integer({ min: 0, max: 10 ** 9 });
  fc.assert(
    fc.property(fc.dictionary(value, cents, { minKeys: 1, maxKeys: 8 }), value, cents, (priced, chosen, base) => {
      const decimal = (amount: number): string =>
        `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
      const prices = Object.entries(priced).map(([test, amount]) => ({
        target: "${parameters.p}",
        test,
        amount: decimal(amount),
      }));
      const blueprint = parseBlueprint(
        JSON.stringify({ parameters: [{ name: "p", type: "string" }], prices: [...prices, { amount: decimal(base) }] }),
      );
      const amount = Object.hasOwn(priced, chosen) ? priced[chosen] : undefined;
      const result = refusal(blueprint, { p: chosen });
      const total =
        result instanceof BlueprintPriceError
          ? result.code
          : Math.round(Number((result as BlueprintPrice).total) * 100);
      expect(total).toBe(amount === undefined ? "NO_PRICE" : amount + base);
    }),
  );
});
