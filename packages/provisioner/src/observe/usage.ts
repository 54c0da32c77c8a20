import type { MeasuredUsage, WorkloadUsage } from "@sewa/core";
import { labelKeys, namespaceName } from "../render/names.ts";
import type { VolumeFact } from "./facts.ts";
import { parseBytes, parseExactMillis } from "./quantity.ts";
import type { LivePodMetrics } from "./wire.ts";

/** A claim on storage, and whose it is. */
export interface OwnedVolume {
  readonly instanceId: string | null;
  readonly namespace: string;
  readonly fact: VolumeFact;
}

interface PodUsage extends WorkloadUsage {
  readonly measuredAt: Date;
}

/** A pod whose last measurement is so much older than another's of the same app is one that is no longer measured. */
const staleMs = 60_000;

/**
 * What each instance of ours used, from all that the cluster says of pods and claims. Pods of a claim job are ours, not
 * the customer's, and are left out. An app with a pod that cannot be understood was not measured: a part is no sum.
 */
export function toMeasuredUsage(
  pods: readonly LivePodMetrics[],
  volumes: readonly OwnedVolume[],
): readonly MeasuredUsage[] {
  const podsOf = Map.groupBy(pods.filter(isOurs), ({ metadata }) => metadata.labels?.[labelKeys.instance] ?? "");
  const volumesOf = Map.groupBy(
    volumes.filter(({ instanceId, namespace }) => instanceId !== null && namespace === namespaceName(instanceId)),
    ({ instanceId }) => instanceId ?? "",
  );
  return [...new Set([...podsOf.keys(), ...volumesOf.keys()])].map((instanceId) => ({
    instanceId,
    ...measureApp(podsOf.get(instanceId) ?? []),
    storageBytes: (volumesOf.get(instanceId) ?? []).reduce((sum, { fact }) => sum + (fact.capacityBytes ?? 0), 0),
  }));
}

/** Labels can be copied; the namespace of an instance is named after it. */
function isOurs({ metadata: { namespace, labels } }: LivePodMetrics): boolean {
  const instanceId = labels?.[labelKeys.instance];
  return instanceId !== undefined && namespace === namespaceName(instanceId);
}

function measureApp(pods: readonly LivePodMetrics[]): Pick<MeasuredUsage, "measuredAt" | "workloads"> {
  const own = pods.filter(({ metadata }) => metadata.labels?.[labelKeys.workload] !== undefined);
  const measured = own.map(toPodUsage).filter((usage) => usage !== null);
  const newest = Math.max(...measured.map(({ measuredAt }) => measuredAt.getTime()));
  if (measured.length === 0 || measured.length < own.length) return { measuredAt: null, workloads: [] };
  const current = measured.filter(({ measuredAt }) => newest - measuredAt.getTime() <= staleMs);
  const byWorkload = Map.groupBy(current, ({ workload }) => workload);
  return {
    measuredAt: new Date(newest),
    workloads: [...byWorkload].map(([workload, usages]) => ({
      workload,
      cpuMillis: usages.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0),
      memoryBytes: usages.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    })),
  };
}

function toPodUsage({ metadata, timestamp, containers }: LivePodMetrics): PodUsage | null {
  const measuredAt = new Date(timestamp);
  if (Number.isNaN(measuredAt.getTime())) return null;
  try {
    return {
      workload: metadata.labels?.[labelKeys.workload] ?? "",
      measuredAt,
      cpuMillis: containers.reduce((sum, { usage }) => sum + parseExactMillis(usage.cpu), 0),
      memoryBytes: containers.reduce((sum, { usage }) => sum + parseBytes(usage.memory), 0),
    };
  } catch {
    return null;
  }
}
