import type { BlueprintIssue } from "./issue.ts";
import { formatPath, issueAt } from "./issue.ts";
import { isParameterValue, valueProblem } from "./parameter-value.ts";
import type { ParameterValue } from "./parameter-value.ts";
import type { Blueprint } from "./parse-blueprint.ts";
import type { ParameterDefinition } from "./schema/parameter.ts";

/** What the customer chose, by the names of the declared parameters. JSON data. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** `path` is in the input (`parameters.plan`); line and column are where the parameter is declared. */
export type ParameterValidation =
  | { readonly ok: true; readonly values: ParameterValues }
  | { readonly ok: false; readonly issues: readonly BlueprintIssue[] };

/** Checks what a customer sent against the declared parameters, and fills in defaults. Nothing is converted. */
export function validateParameters(blueprint: Blueprint, input: unknown): ParameterValidation {
  const { parameters } = blueprint.definition;
  const values: Record<string, ParameterValue> = {};
  const issues: BlueprintIssue[] = [];
  const refuse = (
    name: string,
    index: number,
    message: string,
    code: BlueprintIssue["code"] = "INVALID_VALUE",
  ): void => {
    const at = issueAt(blueprint.source, { code, path: index < 0 ? ["parameters"] : ["parameters", index], message });
    issues.push({ ...at, path: formatPath(["parameters", name.slice(0, 100)]) });
  };
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    const at = issueAt(blueprint.source, { code: "INVALID_VALUE", path: ["parameters"], message: "Send an object." });
    return { ok: false, issues: [at] };
  }
  const given = new Map<string, unknown>(Object.entries(input).slice(0, parameters.length + 10));
  for (const name of given.keys())
    if (!parameters.some((parameter) => parameter.name === name))
      refuse(name, -1, "There is no such parameter.", "UNDECLARED_PARAMETER");
  for (const [index, parameter] of parameters.entries()) {
    const value = given.get(parameter.name) ?? parameter.default;
    const problem = value === undefined ? missingProblem(parameter) : valueProblem(parameter, value);
    if (problem !== null) refuse(parameter.name, index, problem);
    else if (isParameterValue(value)) values[parameter.name] = value;
  }
  return issues.length === 0 ? { ok: true, values } : { ok: false, issues };
}

function missingProblem({ required, label, name }: ParameterDefinition): string | null {
  return required ? `${label ?? name} is required.` : null;
}

/** What a form needs to know of one parameter. */
export interface ParameterDescription {
  readonly name: string;
  readonly label: string;
  readonly type: ParameterDefinition["type"];
  readonly required: boolean;
  /** False: to be left out of forms. */
  readonly display: boolean;
  readonly immutable: boolean;
  readonly hint: string | null;
  readonly placeholder: string | null;
  readonly section: string | null;
  readonly allowedValues: readonly { readonly value: ParameterValue; readonly label: string }[] | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly minLength: number | null;
  readonly maxLength: number | null;
  readonly default: ParameterValue | null;
}

/** The parameters in the order of the definition, as a portal shows them. Plain data. */
export function describeParameters(blueprint: Blueprint): ParameterDescription[] {
  return blueprint.definition.parameters.map((parameter) => ({
    name: parameter.name,
    label: parameter.label ?? parameter.name,
    type: parameter.type,
    required: parameter.required,
    display: parameter.display,
    immutable: parameter.immutable ?? false,
    hint: parameter.hint ?? null,
    placeholder: parameter.placeholder ?? null,
    section: parameter.section ?? null,
    allowedValues:
      parameter.allowedValues?.map(({ value, label }) => ({ value, label: label ?? String(value) })) ?? null,
    min: parameter.min ?? null,
    max: parameter.max ?? null,
    minLength: parameter.minLength ?? null,
    maxLength: parameter.maxLength ?? null,
    default: parameter.default ?? null,
  }));
}
