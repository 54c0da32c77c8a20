import type { ReasonCode, StepKey, StepStatus } from "@sewa/core";
import { findIngress, isClaimed, judged, livePods, podReasonOn, type Look, type Verdict } from "./look.ts";
import { deriveGrowth } from "./growth.ts";
import type { InstanceSpec } from "../render/types.ts";

/** A claim on storage that waits longer than this is a fault, not a start. */
const volumePendingMs = 60_000;
/** Until a new address has had this long to become known to the ingress controller, an app that does not answer is starting. */
const freshAddressMs = 60_000;

/** Worst first: the reason that explains the others is the one to show. */
const severity: readonly ReasonCode[] = [
  "NODE_LOST",
  "POD_SECURITY",
  "QUOTA_EXCEEDED",
  "OUT_OF_MEMORY",
  "IMAGE_PULL_FAILED",
  "CONFIG_ERROR",
  "CRASH_LOOP",
  "UNSCHEDULABLE",
  "VOLUME_UNBOUND",
  "NOT_READY",
];

interface Progress {
  readonly isApplied: boolean;
  readonly isBound: boolean;
  /** Its volumes are as large as it should have them. */
  readonly isSized: boolean;
  readonly isReady: boolean;
  readonly claim: "none" | "pending" | "running" | "done" | "failed";
  readonly isOpen: boolean;
}

/** Whether the pods are ready and the address stands open, so that asking the app makes sense. */
export function canAskHealth(spec: InstanceSpec, look: Pick<Look, "facts" | "claimJob">): boolean {
  const progress = deriveProgress(spec, look);
  return progress.isReady && progress.isOpen && (progress.claim === "none" || progress.claim === "done");
}

export function deriveRunning(spec: InstanceSpec, look: Look): Verdict {
  const progress = deriveProgress(spec, look);
  const verdict = judge(look, progress, findReason(look, progress));
  return { ...verdict, steps: deriveSteps(look, progress, verdict.phase) };
}

function deriveProgress(spec: InstanceSpec, look: Pick<Look, "facts" | "claimJob">): Progress {
  const { facts, claimJob } = look;
  const names = new Set(spec.app.workloads.map(({ id }) => id));
  const workloads = facts.workloads.filter(({ name }) => names.has(name));
  const job = facts.jobs.find(({ name }) => name === claimJob);
  const isApplied = workloads.length === names.size && workloads.every(({ desiredReplicas }) => desiredReplicas > 0);
  const state = job === undefined ? "pending" : job.state === "complete" ? "done" : job.state;
  return {
    isApplied,
    isBound: facts.volumes.every((volume) => volume.state === "bound"),
    isSized: deriveGrowth(spec, facts) === "done",
    isReady: isApplied && workloads.every((workload) => workload.isReady),
    claim: spec.app.claim === null ? "none" : isClaimed(spec, look) ? "done" : state,
    isOpen: findIngress(facts) !== undefined,
  };
}

/** Why the instance does not run as it should; null when nothing is wrong. */
function findReason(look: Look, progress: Progress): ReasonCode | null {
  const { facts, now } = look;
  if (progress.claim === "failed") return "CLAIM_FAILED";
  const isClaiming = progress.claim === "running" || progress.claim === "pending";
  // The claim's own pods count only while a claim is to be made.
  const pods = [...livePods(facts), ...facts.pods.filter(({ workload }) => workload === null && isClaiming)];
  const found = new Set(pods.map((pod) => podReasonOn(pod, facts.lostNodes)));
  // While an old pod is still going, its share of the quota is not free: that is no fault.
  const isReplacing = pods.some(({ deleting }) => deleting);
  if (!isReplacing) for (const { refusal } of facts.workloads) found.add(refusal);
  const isLate = (createdAt: string | null): boolean =>
    createdAt !== null && now - Date.parse(createdAt) > volumePendingMs;
  const isUnbound = facts.volumes.some(
    ({ state, createdAt }) => state === "lost" || (state === "pending" && isLate(createdAt)),
  );
  if (isUnbound) found.add("VOLUME_UNBOUND");
  const worst = severity.find((reason) => found.has(reason));
  if (worst !== undefined) return worst;
  if (!progress.isReady)
    return facts.workloads.some(({ deadlineExceeded }) => deadlineExceeded) ? "DEADLINE_EXCEEDED" : "STARTING";
  if (isClaiming) return "CLAIM_RUNNING";
  if (!progress.isOpen) return "STARTING";
  return look.health === "unhealthy" ? "HEALTH_CHECK_FAILED" : null;
}

function judge(look: Look, progress: Progress, reason: ReasonCode | null): Omit<Verdict, "steps"> {
  if (reason === null) return judged("running", null);
  if (reason === "CLAIM_FAILED") return judged("failed", reason);
  const { workloads } = look.facts;
  const address = findIngress(look.facts);
  // An open address and a finished rollout mean that it has run before; what is missing now was there once.
  const hasRun = address !== undefined && progress.isApplied && workloads.every(({ isRolledOut }) => isRolledOut);
  if (!hasRun && workloads.some(({ deadlineExceeded }) => deadlineExceeded)) return judged("failed", reason);
  if (reason === "HEALTH_CHECK_FAILED") {
    const isFresh = look.now - Date.parse(address?.createdAt ?? "") < freshAddressMs;
    return judged(isFresh ? "provisioning" : "degraded", reason);
  }
  return judged(hasRun && reason !== "STARTING" ? "degraded" : "provisioning", reason);
}

/** How far it has come, in the order in which a customer sees it. What came first is done when what follows it exists. */
function deriveSteps(look: Look, progress: Progress, phase: Verdict["phase"]): Partial<Record<StepKey, StepStatus>> {
  const { facts, health } = look;
  const begun = (isDone: boolean, isBegun: boolean): StepStatus => (isDone ? "done" : isBegun ? "running" : "pending");
  const hasWorkloads = facts.workloads.length > 0;
  const claims: Readonly<Record<Progress["claim"], StepStatus>> = {
    none: "skipped",
    pending: "pending",
    running: progress.isReady ? "running" : "pending",
    done: "done",
    failed: "failed",
  };
  const isAnswering = progress.isReady && progress.isOpen && health !== "unhealthy";
  const isFailed = phase === "failed" && progress.claim !== "failed";
  return {
    namespace: "done",
    secrets: begun(hasWorkloads || facts.volumes.length > 0, true),
    volume:
      facts.volumes.length === 0
        ? hasWorkloads
          ? "skipped"
          : "pending"
        : begun(progress.isBound && progress.isSized, true),
    workload: begun(progress.isApplied, hasWorkloads),
    pods: isFailed ? "failed" : begun(progress.isReady, progress.isApplied),
    claim: claims[progress.claim],
    address: begun(progress.isOpen, progress.claim === "done"),
    health: begun(isAnswering, progress.isReady && progress.isOpen),
    ready: begun(phase === "running", isAnswering),
  };
}
