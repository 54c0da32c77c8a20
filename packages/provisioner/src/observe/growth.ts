import { wantedVolumes } from "../render/workload.ts";
import type { InstanceSpec } from "../render/types.ts";
import type { InstanceFacts } from "./facts.ts";

/**
 * Whether the volumes are as large as the app's shape: a claim that was accepted is a wish, and what the cluster reports is what there is.
 * An app that is stopped makes use of a larger disk when it starts.
 */
export function deriveGrowth(
  spec: InstanceSpec,
  { volumes }: Pick<InstanceFacts, "volumes">,
): "done" | "running" | "failed" {
  const small = spec.app.workloads
    .flatMap((workload) => wantedVolumes(spec, workload))
    .map(({ name, bytes }) => ({ bytes, fact: volumes.find((volume) => volume.name === name) }))
    .filter(({ bytes, fact }) => (fact?.capacityBytes ?? 0) < bytes)
    .filter(({ fact }) => spec.phase !== "stopped" || fact?.growth !== "mount");
  if (small.length === 0) return "done";
  return small.some(({ fact }) => fact?.growth === "failed") ? "failed" : "running";
}
