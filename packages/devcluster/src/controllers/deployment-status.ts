import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from "../kube/kinds.ts";
import { timestamp } from "../kube/object.ts";
import { withCondition } from "./pod-state.ts";

export function progressingCondition(status: string, reason: string, message: string): Condition {
  return { type: "Progressing", status, lastUpdateTime: timestamp(), reason, message };
}

export interface DerivedStatus {
  readonly status: DeploymentStatus;
  /** When the progress deadline is to be looked at again; null when nothing is awaited. */
  readonly deadlineMs: number | null;
}

/** The status that follows from a Deployment and its ReplicaSets. Counters of zero are left out. */
export function deriveDeploymentStatus(
  deployment: Deployment,
  current: ReplicaSet | null,
  sets: readonly ReplicaSet[],
  maxUnavailable: number,
  now: number,
): DerivedStatus {
  const sum = (count: (set: ReplicaSet) => number | undefined): number =>
    sets.reduce((total, set) => total + (count(set) ?? 0), 0);
  const replicas = sum((set) => set.status.replicas);
  const updated = current?.status.replicas ?? 0;
  const ready = sum((set) => set.status.readyReplicas);
  const available = sum((set) => set.status.availableReplicas);
  const unavailable = Math.max(0, sum((set) => set.spec.replicas) - available);
  const wanted = deployment.spec.replicas;
  const counters: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 1,
    ...(replicas === 0 ? {} : { replicas }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    ...(unavailable === 0 ? {} : { unavailableReplicas: unavailable }),
  };
  let conditions = deployment.status.conditions ?? [];
  const isAvailable = available >= wanted - maxUnavailable;
  conditions = setTimed(
    conditions,
    isAvailable
      ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
      : condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
  );
  const isComplete = updated === wanted && replicas === wanted && available === wanted && current !== null;
  const isMoving = hasMoved(deployment.status, counters);
  const progress = deriveProgress(deployment, current, isComplete, isMoving, now);
  if (progress.condition !== null) conditions = setProgress(conditions, progress.condition);
  const failure = sets.flatMap((set) => set.status.conditions ?? []).find((item) => item.type === "ReplicaFailure");
  conditions =
    failure === undefined
      ? conditions.filter((item) => item.type !== "ReplicaFailure")
      : setTimed(conditions, condition("ReplicaFailure", "True", failure.reason ?? "", failure.message ?? ""));
  return { status: { ...counters, conditions }, deadlineMs: progress.deadlineMs };
}

function condition(type: string, status: string, reason: string, message: string): Condition {
  return { type, status, lastUpdateTime: timestamp(), reason, message };
}

/** Replaces a condition only if it says something else, so that its times tell when it changed. */
function setTimed(conditions: readonly Condition[], next: Condition): Condition[] {
  const before = conditions.find((item) => item.type === next.type);
  if (
    before !== undefined &&
    before.status === next.status &&
    before.reason === next.reason &&
    before.message === next.message
  ) {
    return [...conditions];
  }
  return withCondition(conditions, next);
}

/** A changed Progressing condition moves to the end of the list. */
function setProgress(conditions: readonly Condition[], next: Condition): Condition[] {
  const before = conditions.find((item) => item.type === "Progressing");
  if (
    before !== undefined &&
    before.reason === next.reason &&
    before.message === next.message &&
    before.status === next.status
  ) {
    return next.lastUpdateTime === undefined ? [...conditions] : withCondition(conditions, next);
  }
  const others = conditions.filter((item) => item.type !== "Progressing");
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : timestamp();
  return [...others, { ...next, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }];
}

function hasMoved(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  const rest = (after.replicas ?? 0) - (after.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    rest < old ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

interface Progress {
  readonly condition: Condition | null;
  readonly deadlineMs: number | null;
}

function deriveProgress(
  deployment: Deployment,
  current: ReplicaSet | null,
  isComplete: boolean,
  isMoving: boolean,
  now: number,
): Progress {
  const before = (deployment.status.conditions ?? []).find((item) => item.type === "Progressing");
  const subject =
    current === null ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`;
  if (isComplete && deployment.spec.paused !== true) {
    if (before?.reason === "NewReplicaSetAvailable" && before.message?.startsWith(subject) === true) {
      return { condition: null, deadlineMs: null };
    }
    return {
      condition: progressingCondition("True", "NewReplicaSetAvailable", `${subject} has successfully progressed.`),
      deadlineMs: null,
    };
  }
  if (deployment.spec.paused === true) {
    return { condition: progressingCondition("Unknown", "DeploymentPaused", "Deployment is paused"), deadlineMs: null };
  }
  const limitMs = deployment.spec.progressDeadlineSeconds * 1000;
  if (isMoving) {
    return {
      condition: progressingCondition("True", "ReplicaSetUpdated", `${subject} is progressing.`),
      deadlineMs: limitMs,
    };
  }
  // A finished roll that only lost pods is not progressing again, so its deadline does not run.
  if (before === undefined || before.reason === "NewReplicaSetAvailable") return { condition: null, deadlineMs: null };
  if (before.reason === "ProgressDeadlineExceeded") return { condition: null, deadlineMs: null };
  const since = Date.parse(before.lastUpdateTime ?? timestamp(new Date(now)));
  if (now - since < limitMs) return { condition: null, deadlineMs: limitMs - (now - since) + 50 };
  return {
    condition: progressingCondition("False", "ProgressDeadlineExceeded", `${subject} has timed out progressing.`),
    deadlineMs: null,
  };
}
