import type { Blueprint } from "@sewa/blueprint";
import { checkParameters } from "../catalog/index.ts";
import { DomainError, type FieldIssue } from "../errors.ts";

export interface ParameterMerge {
  readonly current: Blueprint;
  /** The version that the values are for; the same as `current` unless the app is upgraded. */
  readonly next: Blueprint;
  /** What its owner has chosen so far. */
  readonly chosen: Readonly<Record<string, unknown>>;
  readonly given: Readonly<Record<string, unknown>>;
}

/**
 * What was chosen, with what is given over it. What a newer version no longer declares is left behind. INVALID_INPUT for
 * values that do not fit, for one that may never change, and for one that may only grow and would not. Pure.
 */
export function mergeParameters({ current, next, chosen, given }: ParameterMerge): Readonly<Record<string, unknown>> {
  const declared = new Set(next.definition.parameters.map(({ name }) => name));
  const kept = Object.entries(chosen).filter(([name]) => declared.has(name));
  const merged = { ...Object.fromEntries(kept), ...given };
  const before = checkParameters(current, chosen);
  const after = checkParameters(next, merged);
  const issues = next.definition.parameters.flatMap(({ name, immutable, upgradeOnly }): readonly FieldIssue[] => {
    const [was, is] = [before[name], after[name]];
    if (was === undefined || was === is || !Object.hasOwn(given, name)) return [];
    if (immutable === true) return [{ path: `parameters.${name}`, message: "This cannot be changed." }];
    const shrinks = typeof was === "number" && typeof is === "number" && is < was;
    return upgradeOnly === true && shrinks ? [{ path: `parameters.${name}`, message: "This can only grow." }] : [];
  });
  if (issues.length > 0) throw new DomainError("INVALID_INPUT", "The parameters cannot be changed so.", { issues });
  return merged;
}
