import { checkLabelValue } from "./names.ts";
import { listOf, recordOf, stringMap, stringOf } from "./json.ts";
import { badRequest } from "./status.ts";

export type Matcher = (labels: Readonly<Record<string, string>>) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: "in" | "notin" | "exists" | "absent";
  readonly values: readonly string[];
}

const setForm = /^(\S+?)\s+(in|notin)\s*\(([^()]*)\)$/;
const equalForm = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/;
const existsForm = /^(!?)\s*([^\s=!(),]+)$/;

function parseRequirement(text: string): Requirement {
  const set = setForm.exec(text);
  if (set !== null) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    for (const [index, value] of values.entries()) checkValue(set[1] ?? "", value, index);
    return { key: set[1] ?? "", operator: set[2] === "in" ? "in" : "notin", values };
  }
  const equal = equalForm.exec(text);
  if (equal !== null) {
    if ((equal[3] ?? "").startsWith("="))
      throw badRequest("unable to parse requirement: found '=', expected: identifier");
    checkValue(equal[1] ?? "", equal[3] ?? "", 0);
    return { key: equal[1] ?? "", operator: equal[2] === "!=" ? "notin" : "in", values: [equal[3] ?? ""] };
  }
  const exists = existsForm.exec(text);
  if (exists !== null) return { key: exists[2] ?? "", operator: exists[1] === "!" ? "absent" : "exists", values: [] };
  throw badRequest(`unable to parse requirement: ${text}`);
}

function checkValue(key: string, value: string, index: number): void {
  const complaint = checkLabelValue(value);
  if (complaint === null) return;
  throw badRequest(
    `unable to parse requirement: values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${complaint}`,
  );
}

function holds(requirement: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[requirement.key];
  switch (requirement.operator) {
    case "in":
      return value !== undefined && requirement.values.includes(value);
    case "notin":
      return value === undefined || !requirement.values.includes(value);
    case "exists":
      return value !== undefined;
    case "absent":
      return value === undefined;
  }
}

/** `a=b,c!=d,e in (f,g),h,!i`; null for an empty selector, which matches everything. */
export function parseLabelSelector(text: string | null | undefined): Matcher | null {
  if (text === null || text === undefined || text.trim() === "") return null;
  const requirements = text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseRequirement);
  return (labels) => requirements.every((requirement) => holds(requirement, labels));
}

/** A `LabelSelector` object. Null (no selector at all) matches nothing, an empty one everything. */
export function selectorMatcher(selector: unknown): Matcher {
  if (selector === null || selector === undefined) return () => false;
  const wanted = Object.entries(stringMap(recordOf(selector)["matchLabels"]));
  const operators = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "absent" } as const;
  const requirements = listOf(recordOf(selector)["matchExpressions"]).map((expression): Requirement => {
    const { key, operator, values } = recordOf(expression);
    const known = operators[stringOf(operator) as keyof typeof operators] ?? "exists";
    return { key: stringOf(key), operator: known, values: listOf(values).map(stringOf) };
  });
  return (labels) =>
    wanted.every(([key, value]) => labels[key] === value) &&
    requirements.every((requirement) => holds(requirement, labels));
}

export interface FieldRequirement {
  readonly path: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** `metadata.name=x,status.phase!=y`. Which paths a kind knows is checked by its resource. */
export function parseFieldSelector(text: string | null | undefined): readonly FieldRequirement[] {
  if (text === null || text === undefined || text.trim() === "") return [];
  return text.split(",").map((part) => {
    const match = /^([^=!]+?)(==|=|!=)(.*)$/.exec(part.trim());
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part.trim()}'`);
    return { path: match[1] ?? "", value: match[3] ?? "", isEqual: match[2] !== "!=" };
  });
}
