import type { PlanLimits, ResolvedWorkload } from "@sewa/blueprint";
import type { ClusterSettings, ContainerResources } from "./types.ts";

const defaultJobResources: ContainerResources = {
  cpuRequestMillis: 50,
  cpuLimitMillis: 500,
  memoryRequestBytes: 128 * 1024 ** 2,
  memoryLimitBytes: 256 * 1024 ** 2,
};

/** Local disk that a container may use for its own layer and logs; beyond it the pod is evicted, not the machine filled. */
const ephemeralStorage = { request: "64Mi", limit: "2Gi" } as const;

export function jobResources(settings: ClusterSettings): ContainerResources {
  return settings.jobResources ?? defaultJobResources;
}

/**
 * A workload's part of the plan. Rounded down, so that all parts together stay within it; never zero, because a limit
 * of zero means no limit to a container runtime.
 */
export function workloadResources(workload: ResolvedWorkload, limits: PlanLimits): ContainerResources {
  const { cpu, memory } = workload.share;
  return {
    cpuRequestMillis: part(limits.cpuRequestMillis, cpu),
    cpuLimitMillis: part(limits.cpuLimitMillis, cpu),
    memoryRequestBytes: part(limits.memoryRequestBytes, memory),
    memoryLimitBytes: part(limits.memoryLimitBytes, memory),
  };
}

export function part(total: number, share: number): number {
  // The small addend undoes binary fractions: 100 x 0.29 is 28.999… and means 29.
  return Math.max(1, Math.floor(total * share + 1e-6));
}

export function sumResources(all: readonly ContainerResources[]): ContainerResources {
  const sum = { cpuRequestMillis: 0, cpuLimitMillis: 0, memoryRequestBytes: 0, memoryLimitBytes: 0 };
  for (const one of all) {
    sum.cpuRequestMillis += one.cpuRequestMillis;
    sum.cpuLimitMillis += one.cpuLimitMillis;
    sum.memoryRequestBytes += one.memoryRequestBytes;
    sum.memoryLimitBytes += one.memoryLimitBytes;
  }
  return sum;
}

export function maxResources(a: ContainerResources, b: ContainerResources): ContainerResources {
  return {
    cpuRequestMillis: Math.max(a.cpuRequestMillis, b.cpuRequestMillis),
    cpuLimitMillis: Math.max(a.cpuLimitMillis, b.cpuLimitMillis),
    memoryRequestBytes: Math.max(a.memoryRequestBytes, b.memoryRequestBytes),
    memoryLimitBytes: Math.max(a.memoryLimitBytes, b.memoryLimitBytes),
  };
}

/** `resources` of a container. */
export function renderResources(resources: ContainerResources): Readonly<Record<string, unknown>> {
  return {
    requests: {
      cpu: cpuQuantity(resources.cpuRequestMillis),
      memory: bytesQuantity(resources.memoryRequestBytes),
      "ephemeral-storage": ephemeralStorage.request,
    },
    limits: {
      cpu: cpuQuantity(resources.cpuLimitMillis),
      memory: bytesQuantity(resources.memoryLimitBytes),
      "ephemeral-storage": ephemeralStorage.limit,
    },
  };
}

/** In the server's own form, whole cores without a suffix, so that what comes back reads like what was sent. */
export function cpuQuantity(millis: number): string {
  return millis % 1000 === 0 ? String(millis / 1000) : `${String(millis)}m`;
}

/** With the largest binary suffix that keeps the number whole, as the server writes it. */
export function bytesQuantity(bytes: number): string {
  const suffixes = ["", "Ki", "Mi", "Gi", "Ti"];
  let [value, index] = [bytes, 0];
  while (value > 0 && value % 1024 === 0 && index < suffixes.length - 1) [value, index] = [value / 1024, index + 1];
  return `${String(value)}${suffixes[index] ?? ""}`;
}
