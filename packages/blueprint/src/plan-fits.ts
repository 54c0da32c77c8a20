import type { Blueprint } from "./parse-blueprint.ts";
import { parseBytes } from "./quantity.ts";
import type { PlanLimits } from "./resolved-app.ts";
import { isWorkload } from "./schema/workload.ts";

/** Why a plan with these limits cannot carry the app, as a sentence for the operator; null when it can. */
export function planFits(blueprint: Blueprint, limits: PlanLimits): string | null {
  const { minMemory } = blueprint.definition;
  const needed = minMemory === undefined ? 0 : (parseBytes(minMemory) ?? 0);
  if (limits.memoryLimitBytes < needed)
    return `The app needs ${minMemory} of memory; the plan's limit is ${Math.floor(limits.memoryLimitBytes / 2 ** 20)}Mi.`;
  if (limits.cpuRequestMillis > limits.cpuLimitMillis) return "The plan requests more CPU than its limit.";
  if (limits.memoryRequestBytes > limits.memoryLimitBytes) return "The plan requests more memory than its limit.";
  if (storesData(blueprint) && limits.storageBytes <= 0) return "The app stores data; the plan has no storage.";
  return null;
}

/** Whether the app has a volume that a plan's storage goes into. */
export function storesData({ definition }: Blueprint): boolean {
  return definition.resources.filter(isWorkload).some(({ volumes }) => volumes.length > 0);
}
