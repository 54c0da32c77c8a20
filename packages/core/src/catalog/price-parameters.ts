import { type Blueprint, type ParameterValues, priceBlueprint, validateParameters } from "@sewa/blueprint";
import { DomainError } from "../errors.ts";
import { fromMajor, type Money } from "../money.ts";

/** What a customer chose, with defaults filled in. INVALID_INPUT names each value that does not fit. */
export function checkParameters(blueprint: Blueprint, parameters: Readonly<Record<string, unknown>>): ParameterValues {
  const checked = validateParameters(blueprint, parameters);
  if (checked.ok) return checked.values;
  throw new DomainError("INVALID_INPUT", "The parameters do not fit this app.", {
    issues: checked.issues.map(({ path, message }) => ({ path: `parameters.${path}`, message })),
  });
}

/** What the choice of parameters costs beside the plan, line by line. No matching price is NO_PRICE, never a price of nothing. */
export function priceParameters(
  blueprint: Blueprint,
  values: ParameterValues,
  currency: string,
): readonly { readonly description: string; readonly money: Money }[] {
  try {
    const { lines } = priceBlueprint(blueprint, values);
    return lines.map(({ value, label, amount }) => ({
      description: label ?? value ?? "Base",
      money: fromMajor(amount, currency),
    }));
  } catch (error) {
    if (error instanceof Error && (error as { code?: unknown }).code === "NO_PRICE") {
      throw new DomainError("NO_PRICE", "There is no price for this choice of parameters.");
    }
    throw error;
  }
}
