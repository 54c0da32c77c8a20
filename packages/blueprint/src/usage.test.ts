import { expect, test } from "vitest";
import { parseBlueprint } from "./parse-blueprint.ts";
import { squidexText } from "./testing/definitions.ts";
import { evaluateUsage, listMeters } from "./usage.ts";

const declared = ["mongoDbNodes", "mongoDbCoresPerNode", "squidexNodes", "squidexCoresPerNode"];

test("the usage of another platform's definition is computed once its parameters are declared", () => {
  const added = declared.map((name) => `- { name: ${name}, type: number }\n`).join("");
  const blueprint = parseBlueprint(squidexText.replace("parameters:\n", `parameters:\n${added}`));
  const values = { mongoDbNodes: 3, mongoDbCoresPerNode: 2, squidexNodes: 1, squidexCoresPerNode: 2 };
  expect(evaluateUsage(blueprint, values)).toEqual({ totalCores: 10 });
  expect(() => evaluateUsage(blueprint, { ...values, squidexNodes: 0.5 })).toThrow(/overload/);
});

test("undeclared parameters make it fail, never 0", () => {
  expect(() => evaluateUsage(parseBlueprint(squidexText), { plan: "cores_4" })).toThrow(/mongoDbNodes is not declared/);
});

test("meters are data: quantity, unit and the amount per quantity", () => {
  const blueprint = parseBlueprint(`
parameters: [{ name: gb, type: number, default: 2.5 }]
usage:
  volume: { value: "\${parameters.gb}", label: Volume, unit: GB, price: { amount: 1500, per: 10 } }
  fixed: 4
  written: "0.5"
`);
  expect(listMeters(blueprint)).toEqual([
    { name: "volume", label: "Volume", unit: "GB", price: { amount: "1500", per: 10 } },
    { name: "fixed", label: "fixed", unit: null, price: null },
    { name: "written", label: "written", unit: null, price: null },
  ]);
  expect(evaluateUsage(blueprint, {})).toEqual({ volume: 2.5, fixed: 4, written: 0.5 });
  expect(() => evaluateUsage(blueprint, { gb: -1 })).toThrow(/negative/);
});

test.each(["${'many'}", "", "${''}", "${true}", "${true ? 'x' : 'y'}"])(
  "a quantity that is no number is refused: %j",
  (text) => {
    const blueprint = parseBlueprint(JSON.stringify({ usage: { a: text } }));
    expect(() => evaluateUsage(blueprint, {})).toThrow(/must be a number/);
  },
);
