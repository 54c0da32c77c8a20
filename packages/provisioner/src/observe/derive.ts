import type { Condition, Observation, ObservedPod, ReasonCode, StepKey, StepStatus } from "@sewa/core";
import { isAddressOpen } from "../render/ingress.ts";
import type { InstanceSpec } from "../render/types.ts";
import { isOwnNamespace } from "./facts.ts";
import { deriveGrowth } from "./growth.ts";
import { findIngress, isClaimed, judged, livePods, podReasonOn, type Look, type Verdict } from "./look.ts";
import type { PodFact } from "./pods.ts";
import { deriveRunning } from "./running.ts";
import { sentences } from "./sentences.ts";

/** A removal that takes longer than this needs a person. */
const deletionStuckMs = 15 * 60_000;

/** What an error leaves behind: nothing is known about the instance, only why. */
export function unknownObservation(spec: InstanceSpec, reason: ReasonCode, isFinal: boolean): Observation {
  return {
    existence: "unknown",
    ...judged(isFinal ? "failed" : "unknown", reason),
    pods: [],
    conditions: [condition("Applied", isFinal ? "False" : "Unknown", reason)],
    nodeName: null,
    ownerClaimed: spec.ownerClaimed,
    steps: {},
  };
}

/** Turns facts into the words of the instance: phase, reason, conditions and steps. Pure. */
export function deriveObservation(spec: InstanceSpec, look: Look): Observation {
  const { namespace } = look.facts;
  if (namespace === null || !isOwnNamespace(namespace, spec)) return deriveAbsent(spec, namespace !== null);
  if (namespace.deletingSince !== null) return deriveDeleting(spec, look, namespace.deletingSince);
  switch (spec.phase) {
    case "absent":
      return present(spec, look, { ...judged("deleting", "DELETING"), steps: { namespace: "running" } });
    case "stopped":
      return deriveStopped(spec, look);
    case "running":
      return present(spec, look, deriveRunning(spec, look));
  }
}

function deriveAbsent(spec: InstanceSpec, isForeign: boolean): Observation {
  const isTaken = isForeign && spec.phase !== "absent";
  return {
    existence: "absent",
    ...(isTaken ? judged("failed", "NAME_TAKEN") : judged("absent", null)),
    pods: [],
    conditions: [],
    nodeName: null,
    ownerClaimed: spec.ownerClaimed,
    steps: spec.phase === "absent" ? { namespace: "done" } : { namespace: isTaken ? "failed" : "pending" },
  };
}

function deriveDeleting(spec: InstanceSpec, look: Look, since: string): Observation {
  const isStuck = look.now - Date.parse(since) > deletionStuckMs;
  const reason = isStuck ? "DELETION_STUCK" : "DELETING";
  return present(spec, look, { ...judged("deleting", reason), steps: { namespace: "running" } });
}

/** Stopped means that no process runs any more, not that one was asked to stop. */
function deriveStopped(spec: InstanceSpec, look: Look): Observation {
  const { workloads } = look.facts;
  const isScaled =
    workloads.length >= spec.app.workloads.length && workloads.every(({ desiredReplicas }) => desiredReplicas === 0);
  const isEmpty = workloads.every(({ replicas }) => replicas === 0) && livePods(look.facts).length === 0;
  const isStopped = isScaled && isEmpty;
  const steps: Partial<Record<StepKey, StepStatus>> = {
    namespace: "done",
    volume: deriveGrowth(spec, look.facts) === "done" ? "done" : "running",
    workload: isScaled ? "done" : "running",
    pods: isStopped ? "done" : "running",
    ready: isStopped ? "done" : "pending",
  };
  const verdict = isStopped ? judged("stopped", null) : judged("running", "STOPPING");
  return present(spec, look, { ...verdict, steps });
}

function present(spec: InstanceSpec, look: Look, verdict: Verdict): Observation {
  const pods = look.facts.pods.filter(({ workload }) => workload !== null);
  const running = livePods(look.facts).find(({ nodeName, deleting }) => nodeName !== null && !deleting);
  return {
    existence: "present",
    phase: verdict.phase,
    reason: verdict.reason,
    message: verdict.message,
    pods: pods.map((pod) => toObservedPod(pod, look.facts.lostNodes)),
    conditions: deriveConditions(spec, look, verdict),
    nodeName: running?.nodeName ?? null,
    ownerClaimed: isClaimed(spec, look),
    steps: verdict.steps,
  };
}

function toObservedPod(pod: PodFact, lostNodes: ReadonlySet<string>): ObservedPod {
  const reason = podReasonOn(pod, lostNodes);
  const { name, workload, phase, ready, restarts, nodeName, startedAt } = pod;
  const message = reason === null ? null : sentences[reason];
  return { name, workload: workload ?? "", phase, ready, restarts, nodeName, reason, message, startedAt };
}

function deriveConditions(spec: InstanceSpec, look: Look, verdict: Verdict): readonly Condition[] {
  const { facts, health } = look;
  const { reason } = verdict;
  const isBound = facts.volumes.every(({ state }) => state === "bound");
  const isReady =
    facts.workloads.length > 0 && facts.workloads.every((workload) => workload.isReady && workload.desiredReplicas > 0);
  const claimFailed = reason === "CLAIM_FAILED";
  const conditions = [
    condition("Applied", facts.workloads.length >= spec.app.workloads.length ? "True" : "False", null),
    condition("PodsReady", isReady ? "True" : "False", isReady ? null : reason),
    condition("AddressOpen", isAddressOpen(spec) && findIngress(facts) !== undefined ? "True" : "False", null),
  ];
  if (facts.volumes.length > 0) {
    const reason = isBound ? growthReasons[deriveGrowth(spec, facts)] : "VOLUME_UNBOUND";
    conditions.push(condition("VolumeBound", isBound ? "True" : "False", reason));
  }
  if (spec.app.claim !== null) {
    const claimed = isClaimed(spec, look);
    conditions.push(condition("OwnerClaimed", claimed ? "True" : "False", claimFailed ? "CLAIM_FAILED" : null));
  }
  if (health !== "unasked") {
    const isHealthy = health === "healthy";
    conditions.push(condition("Healthy", isHealthy ? "True" : "False", isHealthy ? null : "HEALTH_CHECK_FAILED"));
  }
  return conditions;
}

/** Of a volume that serves, as large as it was. */
const growthReasons = { done: null, running: "VOLUME_GROWING", failed: "VOLUME_NOT_GROWN" } as const;

function condition(type: Condition["type"], status: Condition["status"], reason: ReasonCode | null): Condition {
  return { type, status, reason, message: reason === null ? null : sentences[reason] };
}
