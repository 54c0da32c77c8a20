import type { ObservedNode } from "@sewa/core";
import { labelKeys } from "../render/names.ts";
import { parseBytes, parseMillis } from "./quantity.ts";
import type { LiveNode } from "./wire.ts";

const controlPlane = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** A machine with the facts that capacity and people need; heartbeats are left out, they change all the time. */
export function toObservedNode(node: LiveNode): ObservedNode {
  const labels = node.metadata.labels ?? {};
  const conditions = node.status?.conditions ?? [];
  const allocatable = node.status?.allocatable ?? {};
  const repels = (node.spec?.taints ?? []).some(({ effect }) => effect === "NoSchedule" || effect === "NoExecute");
  return {
    name: node.metadata.name,
    role: controlPlane.some((key) => key in labels) ? "control-plane" : "worker",
    pool: labels[labelKeys.pool] ?? "default",
    ready: conditions.some(({ type, status }) => type === "Ready" && status === "True"),
    schedulable: node.spec?.unschedulable !== true && !repels,
    allocatableCpuMillis: parseMillis(allocatable["cpu"] ?? "0"),
    allocatableMemoryBytes: parseBytes(allocatable["memory"] ?? "0"),
    conditions: conditions.map(({ type, status, reason }) => ({ type, status, reason: reason ?? null })),
  };
}
