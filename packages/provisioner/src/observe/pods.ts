import type { ObservedPod, ReasonCode } from "@sewa/core";
import { labelKeys } from "../render/names.ts";
import type { ContainerStatus, LivePod } from "./wire.ts";

/** One pod, reduced to what decisions and people need. */
export interface PodFact {
  readonly name: string;
  /** Null for a pod of the claim job. */
  readonly workload: string | null;
  readonly phase: ObservedPod["phase"];
  readonly ready: boolean;
  readonly deleting: boolean;
  readonly restarts: number;
  readonly nodeName: string | null;
  readonly reason: ReasonCode | null;
  readonly startedAt: string | null;
}

const pullFailures = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
]);
const configFailures = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);
const startFailures = new Set(["StartError", "ContainerCannotRun"]);

const phases = ["Pending", "Running", "Succeeded", "Failed", "Unknown"] as const;

export function toPodFact(pod: LivePod): PodFact {
  const status = pod.status ?? {};
  const containers = status.containerStatuses ?? [];
  const deleting = pod.metadata.deletionTimestamp !== undefined;
  const ready = !deleting && status.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  return {
    name: pod.metadata.name,
    workload: pod.metadata.labels?.[labelKeys.workload] ?? null,
    phase: phases.find((phase) => phase === status.phase) ?? "Unknown",
    ready,
    deleting,
    restarts: containers.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0),
    nodeName: pod.spec?.nodeName ?? null,
    reason: ready ? null : podReason(pod),
    startedAt: status.startTime ?? null,
  };
}

/** Why a pod is not ready; null when it has ended and nothing is wrong. */
function podReason(pod: LivePod): ReasonCode | null {
  const status = pod.status ?? {};
  if (status.reason === "NodeLost") return "NODE_LOST";
  if (pod.metadata.deletionTimestamp !== undefined) return "STOPPING";
  if (status.phase === "Succeeded" || status.phase === "Failed") return null;
  const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return /persistentvolumeclaim/iu.test(scheduled.message ?? "") ? "VOLUME_UNBOUND" : "UNSCHEDULABLE";
  }
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const reasons = containers.map((container) => containerReason(container, pod.spec?.restartPolicy ?? "Always"));
  const failing = reasons.find((reason) => reason !== null);
  if (failing !== undefined) return failing;
  return wasReady(pod) ? "NOT_READY" : "STARTING";
}

function containerReason(container: ContainerStatus, restartPolicy: string): ReasonCode | null {
  if (container.ready === true) return null;
  const waiting = container.state?.waiting?.reason ?? "";
  if (pullFailures.has(waiting)) return "IMAGE_PULL_FAILED";
  if (configFailures.has(waiting)) return "CONFIG_ERROR";
  if (restartPolicy === "Never") return null;
  // Between two crashes a look may find the container waiting, ended or running again: its last end says what it is.
  const ended = container.state?.terminated ?? container.lastState?.terminated;
  if (ended === undefined) return waiting === "CrashLoopBackOff" ? "CRASH_LOOP" : null;
  if (ended.reason === "OOMKilled") return "OUT_OF_MEMORY";
  if (startFailures.has(ended.reason ?? "")) return "CONFIG_ERROR";
  if (waiting === "CrashLoopBackOff") return "CRASH_LOOP";
  // A program that was asked to end, as by its liveness probe, ends with 0; only more than once is it a pattern.
  return ended.exitCode !== 0 || (container.restartCount ?? 0) > 1 ? "CRASH_LOOP" : null;
}

/**
 * Ready is false from the pod's start; when it turned false later than its containers started, it had been true before.
 * Times are whole seconds of the cluster's clock.
 */
function wasReady(pod: LivePod): boolean {
  const changed = Date.parse(pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "");
  const starts = (pod.status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.running?.startedAt ?? ""));
  return starts.length > 0 && starts.every((start) => changed > start + 1_000);
}
