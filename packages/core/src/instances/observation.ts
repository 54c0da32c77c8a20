import type { StepKey, StepStatus } from "../operations/index.ts";

/** What the outside world looked like in one pass of the provisioner. Facts only; decisions are made in core. */

export const observedPhases = [
  "unknown",
  "provisioning",
  "running",
  "degraded",
  "stopped",
  "failed",
  "deleting",
  "absent",
] as const;
export type ObservedPhase = (typeof observedPhases)[number];

/** Why an instance is not as desired. Closed: each code has a sentence a customer can read in `reasons.ts`. */
export const reasonCodes = [
  "IMAGE_PULL_FAILED",
  "CRASH_LOOP",
  "OUT_OF_MEMORY",
  "CONFIG_ERROR",
  "UNSCHEDULABLE",
  "VOLUME_UNBOUND",
  "VOLUME_GROWING",
  "VOLUME_NOT_GROWN",
  "QUOTA_EXCEEDED",
  "POD_SECURITY",
  "STARTING",
  "NOT_READY",
  "CLAIM_RUNNING",
  "CLAIM_FAILED",
  "HEALTH_CHECK_FAILED",
  "STOPPING",
  "DELETING",
  "DELETION_STUCK",
  "NAME_TAKEN",
  "INVALID_OBJECT",
  "CLUSTER_UNREACHABLE",
  "CLUSTER_DENIED",
  "NODE_LOST",
  "DEADLINE_EXCEEDED",
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

export interface ObservedPod {
  readonly name: string;
  readonly workload: string;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  readonly ready: boolean;
  readonly restarts: number;
  readonly nodeName: string | null;
  readonly reason: ReasonCode | null;
  readonly message: string | null;
  /** RFC 3339, the cluster's clock. */
  readonly startedAt: string | null;
}

/** Kubernetes-style condition. */
export interface Condition {
  readonly type: "Applied" | "VolumeBound" | "PodsReady" | "OwnerClaimed" | "AddressOpen" | "Healthy";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: ReasonCode | null;
  readonly message: string | null;
}

/** Three-valued existence: a failed look leaves `unknown`, never the old value. */
export interface Observation {
  readonly existence: "absent" | "unknown" | "present";
  readonly phase: ObservedPhase;
  readonly reason: ReasonCode | null;
  /** A sentence a customer can read; no secrets, no host names of the operator. */
  readonly message: string | null;
  readonly pods: readonly ObservedPod[];
  readonly conditions: readonly Condition[];
  readonly nodeName: string | null;
  /** True once the claim job has succeeded and a second claim was refused. */
  readonly ownerClaimed: boolean;
  /** How far the current operation has come, as seen in the world. */
  readonly steps: Partial<Record<StepKey, StepStatus>>;
}
