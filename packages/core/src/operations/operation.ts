import { type StepKey, type StepStatus, stepKeys } from "./step.ts";

export const operationKinds = [
  "provision",
  "start",
  "stop",
  "restart",
  "resize",
  "update",
  "upgrade",
  "deprovision",
] as const;
export type OperationKind = (typeof operationKinds)[number];
/** Kinds that make an app of something else than before. */
export const reshapingKinds = ["resize", "update", "upgrade"] as const satisfies readonly OperationKind[];
export type ReshapingKind = (typeof reshapingKinds)[number];
export type OperationStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/**
 * queued: written down together with what is wanted; no worker has looked at it yet.
 * running: a worker has begun; steps say how far it is.
 * succeeded: the world is as wanted.
 * failed: it is not, and the deadline is over. What happens then is decided by the instance.
 * cancelled: something that goes first took its place (an expiry, a cancellation).
 */
export const operationTransitions = {
  queued: ["running", "succeeded", "failed", "cancelled"],
  running: ["succeeded", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<OperationStatus, readonly OperationStatus[]>;

export interface OperationStep {
  readonly key: StepKey;
  readonly status: StepStatus;
  /** RFC 3339, real time. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** What a customer follows. */
export const stepPlans = {
  provision: stepKeys,
  start: ["queued", "workload", "pods", "health", "ready"],
  restart: ["queued", "workload", "pods", "health", "ready"],
  resize: ["queued", "workload", "pods", "health", "ready"],
  update: ["queued", "workload", "pods", "health", "ready"],
  upgrade: ["queued", "workload", "pods", "health", "ready"],
  stop: ["queued", "workload", "pods"],
  deprovision: ["queued", "pods", "namespace"],
} as const satisfies Record<OperationKind, readonly StepKey[]>;

/** Seconds until an operation has failed; a first provisioning may be given more by its blueprint. */
export const operationDeadlineSeconds = {
  provision: 300,
  start: 300,
  restart: 300,
  resize: 300,
  update: 300,
  upgrade: 600,
  stop: 300,
  deprovision: 900,
} as const satisfies Record<OperationKind, number>;

export const maxOperationAttempts = 25;

export function isReshaping(kind: OperationKind): kind is ReshapingKind {
  return (reshapingKinds as readonly OperationKind[]).includes(kind);
}

export function isOpen(status: OperationStatus): boolean {
  return operationTransitions[status].length > 0;
}

/** `growsVolume`: it is not over before the cluster says that there is more storage. */
export function planSteps(kind: OperationKind, growsVolume: boolean): readonly OperationStep[] {
  const plan: readonly StepKey[] = stepPlans[kind];
  const keys = stepKeys.filter((key) => plan.includes(key) || (growsVolume && key === "volume"));
  return keys.map((key) => ({ key, status: "pending", startedAt: null, finishedAt: null }));
}

/**
 * Steps after one look at the world. They only go forward: what was done once was done, even if a later look cannot see
 * it. A step that was passed over counts as done with the one behind it.
 */
export function advanceSteps(
  steps: readonly OperationStep[],
  seen: Partial<Record<StepKey, StepStatus>>,
  now: string,
): readonly OperationStep[] {
  return steps.map((step) => {
    const status = step.key === "queued" ? "done" : seen[step.key];
    if (status === undefined || isFinished(step.status) || rank[status] <= rank[step.status]) return step;
    return {
      ...step,
      status,
      startedAt: step.startedAt ?? now,
      finishedAt: isFinished(status) ? now : null,
    };
  });
}

/** All that is left is done, or failed where it stood. */
export function closeSteps(
  steps: readonly OperationStep[],
  outcome: "succeeded" | "failed",
  now: string,
): readonly OperationStep[] {
  if (outcome === "succeeded") {
    return steps.map((step) =>
      isFinished(step.status) ? step : { ...step, status: "done", startedAt: step.startedAt ?? now, finishedAt: now },
    );
  }
  const at = steps.findIndex((step) => !isFinished(step.status));
  return steps.map((step, index) =>
    index === at ? { ...step, status: "failed", startedAt: step.startedAt ?? now, finishedAt: now } : step,
  );
}

const rank: Record<StepStatus, number> = { pending: 0, running: 1, failed: 2, skipped: 3, done: 3 };

function isFinished(status: StepStatus): boolean {
  return status === "done" || status === "skipped";
}
