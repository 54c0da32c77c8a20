import type { Condition, Pod } from "../kube/kinds.ts";
import { timestamp } from "../kube/object.ts";

export function isFinished(pod: Pod): boolean {
  return pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
}

/** Counts for its owner: neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
}

/** The list with one condition set. Its transition time moves only with its status. */
export function withCondition(conditions: readonly Condition[], next: Condition): Condition[] {
  const before = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime =
    before !== undefined && before.status === next.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : timestamp();
  const made = { ...next, lastTransitionTime };
  if (before === undefined) return [...conditions, made];
  return conditions.map((condition) => (condition.type === next.type ? made : condition));
}
