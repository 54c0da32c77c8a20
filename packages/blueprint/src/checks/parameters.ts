import type { Finding } from "./finding.ts";
import { valueProblem } from "../parameter-value.ts";
import type { BlueprintDefinition } from "../schema/definition.ts";
import type { ParameterDefinition } from "../schema/parameter.ts";
import type { Path } from "../position.ts";

/** Defaults and allowed values are of the declared type and within the declared bounds. */
export function checkParameters(definition: BlueprintDefinition): Finding[] {
  return (["parameters", "settings"] as const).flatMap((list) =>
    definition[list].flatMap((parameter, index) => checkParameter(parameter, [list, index])),
  );
}

function checkParameter(parameter: ParameterDefinition, path: Path): Finding[] {
  const invalid = (at: Path, message: string): Finding => ({
    code: "INVALID_VALUE",
    level: "error",
    path: at,
    message,
  });
  const findings: Finding[] = [];
  const { allowedValues, ...unlisted } = parameter;
  for (const [index, { value }] of (allowedValues ?? []).entries()) {
    const problem = valueProblem(unlisted, value);
    if (problem !== null) findings.push(invalid([...path, "allowedValues", index, "value"], problem));
    if (allowedValues?.findIndex((other) => other.value === value) !== index)
      findings.push({
        code: "DUPLICATE_NAME",
        level: "error",
        path: [...path, "allowedValues", index, "value"],
        message: `The value ${value} stands here twice.`,
      });
  }
  if (parameter.default !== undefined) {
    const problem = valueProblem(parameter, parameter.default);
    if (problem !== null) findings.push(invalid([...path, "default"], problem));
  }
  if (parameter.min !== undefined && parameter.max !== undefined && parameter.min > parameter.max)
    findings.push(invalid([...path, "max"], "The maximum is below the minimum."));
  if (
    parameter.minLength !== undefined &&
    parameter.maxLength !== undefined &&
    parameter.minLength > parameter.maxLength
  )
    findings.push(invalid([...path, "maxLength"], "The maximal length is below the minimal."));
  return findings;
}
