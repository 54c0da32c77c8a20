import { sumDecimals } from "./decimal.ts";
import { createEvaluator, declaredValues } from "./evaluator.ts";
import type { Evaluator } from "./evaluator.ts";
import { directParameter } from "./expression/direct-parameter.ts";
import type { ValueTree } from "./expression/scope.ts";
import { formatValue } from "./expression/text.ts";
import { BlueprintPriceError, issueAt } from "./issue.ts";
import type { ParameterValue } from "./parameter-value.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import type { PriceDefinition } from "./schema/definition.ts";
import type { ParameterValues } from "./validate-parameters.ts";

export interface PriceLine {
  /** As written, for instance `${parameters.plan}`; null for an amount that always applies. */
  readonly target: string | null;
  /** What the target came to, for instance `cores_4`. */
  readonly value: string | null;
  /** For people: the price's own label, or that of the chosen value. */
  readonly label?: string;
  /** Decimal major units of the catalog's currency. */
  readonly amount: string;
}

export interface BlueprintPrice {
  readonly lines: readonly PriceLine[];
  readonly total: string;
}

/**
 * What the blueprint's own prices come to for the chosen values: per target the first price whose test fits. A
 * blueprint without prices costs 0 here, its plans carry the price. Throws BlueprintPriceError (`NO_PRICE`) for a
 * target that no price fits, and BlueprintError for a value or expression that is wrong.
 */
export function priceBlueprint(
  blueprint: Blueprint,
  values: ParameterValues,
  settings: Readonly<Record<string, ParameterValue>> = {},
): BlueprintPrice {
  const parameters = declaredValues(blueprint, "parameters", values);
  const evaluator = createEvaluator(blueprint, "pricing", {
    parameters,
    env: declaredValues(blueprint, "settings", settings),
  });
  const targets = Map.groupBy(
    blueprint.definition.prices.map((price, index) => ({ price, index })),
    ({ price }) => price.target ?? null,
  );
  const lines = [...targets].flatMap(([target, prices]): PriceLine[] =>
    target === null
      ? prices.map(({ price: { label, amount } }) => ({
          target,
          value: null,
          ...(label !== undefined && { label }),
          amount,
        }))
      : [priceTarget(blueprint, evaluator, parameters, target, prices)],
  );
  return { lines, total: sumDecimals(lines.map(({ amount }) => amount)) };
}

interface IndexedPrice {
  readonly price: PriceDefinition;
  readonly index: number;
}

function priceTarget(
  blueprint: Blueprint,
  evaluator: Evaluator,
  parameters: ValueTree,
  target: string,
  prices: readonly IndexedPrice[],
): PriceLine {
  const first = prices[0]?.index ?? 0;
  const name = directParameter(target);
  const value =
    name !== null && !Object.hasOwn(parameters, name)
      ? null
      : formatValue(evaluator.value(target, ["prices", first, "target"]));
  const match = value === null ? undefined : prices.find((price) => fits(evaluator, price, value));
  if (match === undefined) {
    const what = value === null ? `${target} is not chosen.` : `No price matches ${value.slice(0, 100)} for ${target}.`;
    const issue = issueAt(blueprint.source, { code: "NO_PRICE", path: ["prices", first, "target"], message: what });
    throw new BlueprintPriceError(issue, target, value, blueprint.source.filename);
  }
  const label = match.price.label ?? choiceLabel(blueprint, name, value);
  return { target, value, ...(label !== undefined && { label }), amount: match.price.amount };
}

/** An expression that comes to true or false is a condition of its own; anything else is compared with the target. */
function fits(evaluator: Evaluator, { price, index }: IndexedPrice, value: string): boolean {
  const { test } = price;
  if (test === undefined) return true;
  if (typeof test !== "string") return String(test) === value;
  const result = evaluator.value(test, ["prices", index, "test"]);
  return typeof result === "boolean" ? result : formatValue(result) === value;
}

function choiceLabel({ definition }: Blueprint, name: string | null, value: string | null): string | undefined {
  const parameter = definition.parameters.find((declared) => declared.name === name);
  return parameter?.allowedValues?.find((allowed) => String(allowed.value) === value)?.label;
}
