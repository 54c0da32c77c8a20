import { z } from "zod";
import { limits } from "./limits.ts";
import type { ParameterDefinition } from "./schema/parameter.ts";

export type ParameterValue = string | number | boolean;

const email = z.email();

export function isParameterValue(value: unknown): value is ParameterValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** Why `value` is not one for this parameter; null when it is. */
export function valueProblem(parameter: ParameterDefinition, value: unknown): string | null {
  const { allowedValues } = parameter;
  const typed = typeProblem(parameter, value);
  if (typed !== null) return typed;
  if (allowedValues !== undefined && !allowedValues.some((allowed) => allowed.value === value))
    return `Choose one of ${allowedValues.map((allowed) => String(allowed.value)).join(", ")}.`.slice(0, 500);
  return null;
}

function typeProblem(parameter: ParameterDefinition, value: unknown): string | null {
  switch (parameter.type) {
    case "string":
      return typeof value === "string" ? textProblem(parameter, value) : "Write a text.";
    case "boolean":
      return typeof value === "boolean" ? null : "Choose true or false.";
    case "integer":
      return Number.isSafeInteger(value) ? rangeProblem(parameter, value as number) : "Write a whole number.";
    case "number":
      return typeof value === "number" && Number.isFinite(value)
        ? rangeProblem(parameter, value)
        : "Write a finite number.";
  }
}

function textProblem({ required, minLength, maxLength, format }: ParameterDefinition, value: string): string | null {
  const least = minLength ?? (required ? 1 : 0);
  const most = Math.min(maxLength ?? limits.parameterCharacters, limits.resultCharacters);
  if (value.length < least) return least === 1 ? "Write a text." : `Write at least ${least} characters.`;
  if (value.length > most) return `Write at most ${most} characters.`;
  // PostgreSQL cannot store either, and a container's environment cannot carry the first.
  if (value.includes("\0") || !value.isWellFormed()) return "The text holds a character that cannot be stored.";
  if (format === "email" && !email.safeParse(value).success) return "Write an e-mail address.";
  return null;
}

function rangeProblem({ min, max, step }: ParameterDefinition, value: number): string | null {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return "The number is too large to be exact.";
  if (min !== undefined && value < min) return `Write at least ${min}.`;
  if (max !== undefined && value > max) return `Write at most ${max}.`;
  if (step !== undefined && !isMultiple(value - (min ?? 0), step)) return `Use steps of ${step}.`;
  return null;
}

/** Steps such as 0.1 are no binary fractions, so a hair's breadth of a step is forgiven. */
function isMultiple(value: number, step: number): boolean {
  const steps = value / step;
  return Math.abs(steps - Math.round(steps)) < 1e-9 * Math.max(1, Math.abs(steps));
}
