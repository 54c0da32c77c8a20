import type { ExpressionValue, ValueTree } from "./expression/scope.ts";
import { createTexts } from "./expression/text.ts";
import { BlueprintError, issueAt } from "./issue.ts";
import type { BlueprintIssueCode } from "./issue.ts";
import { valueProblem } from "./parameter-value.ts";
import type { ParameterValue } from "./parameter-value.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import type { Path } from "./position.ts";
import type { ParameterDefinition } from "./schema/parameter.ts";
import { buildScope } from "./scopes.ts";
import type { ScopeKind } from "./scopes.ts";

/** Evaluates the texts of one blueprint over given values. Throws BlueprintError with the place of what failed. */
export interface Evaluator {
  value(text: string, path: Path): ExpressionValue;
}

export function createEvaluator(
  blueprint: Blueprint,
  kind: ScopeKind,
  values: ValueTree,
  mappings: readonly string[] = [],
): Evaluator {
  const texts = createTexts(buildScope(blueprint.definition, kind, mappings));
  return {
    value(text, path) {
      const evaluation = texts.evaluate(text, values);
      if (evaluation.ok) return evaluation.value;
      const { code, offset, message } = evaluation.problem;
      return refuse(blueprint, code, path, message, offset);
    },
  };
}

/** Throws a BlueprintError with one issue. */
export function refuse(
  { source }: Blueprint,
  code: BlueprintIssueCode,
  path: Path,
  message: string,
  offset?: number,
): never {
  const issue = issueAt(source, { code, path, message, ...(offset !== undefined && { offset }) });
  throw new BlueprintError([issue], source.filename);
}

/**
 * `parameters` or `env` as the expression language reads them: whole numbers as bigint, defaults filled in, nothing
 * undeclared. Throws BlueprintError for a value that does not fit its declaration. A missing value is no error here:
 * only an expression that asks for it fails.
 */
export function declaredValues(
  blueprint: Blueprint,
  list: "parameters" | "settings",
  given: Readonly<Record<string, ParameterValue>>,
): ValueTree {
  const declared = blueprint.definition[list];
  const unknown = Object.keys(given).find((name) => !declared.some((parameter) => parameter.name === name));
  if (unknown !== undefined) {
    const code = list === "parameters" ? "UNDECLARED_PARAMETER" : "UNDECLARED_SETTING";
    refuse(blueprint, code, [list], `There is no ${list === "parameters" ? "parameter" : "setting"} ${unknown}.`);
  }
  const entries = declared.flatMap((parameter, index): [string, ExpressionValue][] => {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : parameter.default;
    if (value === undefined) return [];
    const problem = valueProblem(parameter, value);
    if (problem !== null) refuse(blueprint, "INVALID_VALUE", [list, index], `${parameter.name}: ${problem}`);
    return [[parameter.name, toExpressionValue(parameter, value)]];
  });
  return Object.fromEntries(entries);
}

function toExpressionValue({ type }: ParameterDefinition, value: ParameterValue): ExpressionValue {
  const isWhole = type === "integer" || type === "number";
  return isWhole && typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}
