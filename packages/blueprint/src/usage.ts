import { decimalPattern } from "./decimal.ts";
import { createEvaluator, declaredValues, refuse } from "./evaluator.ts";
import type { ExpressionValue } from "./expression/scope.ts";
import type { ParameterValue } from "./parameter-value.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import type { MeterDefinition } from "./schema/definition.ts";
import type { ParameterValues } from "./validate-parameters.ts";

/** A quantity that a blueprint declares about its instances, such as `totalCores`. */
export interface Meter {
  readonly name: string;
  readonly label: string;
  readonly unit: string | null;
  /** `amount` (decimal major units) for each `per` of the quantity; null for a quantity that is only reported. */
  readonly price: { readonly amount: string; readonly per: number } | null;
}

/** The declared meters in the order of the definition. Charging by them is the caller's affair. */
export function listMeters(blueprint: Blueprint): Meter[] {
  return Object.entries(blueprint.definition.usage).map(([name, meter]) => {
    const { label = name, unit = null, price = null } = typeof meter === "object" ? meter : {};
    return { name, label, unit, price };
  });
}

/** The quantities for the chosen values. Throws BlueprintError where one is not a number or cannot be known. */
export function evaluateUsage(
  blueprint: Blueprint,
  values: ParameterValues,
  settings: Readonly<Record<string, ParameterValue>> = {},
): Readonly<Record<string, number>> {
  const evaluator = createEvaluator(blueprint, "pricing", {
    parameters: declaredValues(blueprint, "parameters", values),
    env: declaredValues(blueprint, "settings", settings),
  });
  const quantities = Object.entries(blueprint.definition.usage).map(([name, meter]): [string, number] => {
    const path = ["usage", name, ...(typeof meter === "object" ? ["value"] : [])];
    const text = meterValue(meter);
    const quantity = toQuantity(typeof text === "number" ? text : evaluator.value(text, path));
    if (quantity === null) return refuse(blueprint, "INVALID_VALUE", path, "A quantity must be a number.");
    if (quantity < 0) refuse(blueprint, "INVALID_VALUE", path, "A quantity cannot be negative.");
    return [name, quantity];
  });
  return Object.fromEntries(quantities);
}

function meterValue(meter: MeterDefinition): string | number {
  return typeof meter === "object" ? meter.value : meter;
}

/** A meter may be written as a text without an expression. `Number` alone would read an empty text and false as 0. */
function toQuantity(value: ExpressionValue): number | null {
  if (typeof value === "string") return decimalPattern.test(value) ? Number(value) : null;
  return typeof value === "boolean" ? null : Number(value);
}
