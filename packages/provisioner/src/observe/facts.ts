import type { ReasonCode } from "@sewa/core";
import { isQuotaText } from "../cluster/status.ts";
import { labelKeys } from "../render/names.ts";
import type { PodFact } from "./pods.ts";
import { parseBytes } from "./quantity.ts";
import type { LiveJob, LiveNamespace, LiveObject, LiveVolumeClaim, LiveWorkload } from "./wire.ts";

export interface NamespaceFact {
  readonly uid: string;
  /** Whose it is by its label; null when it is not ours at all. */
  readonly instanceId: string | null;
  /** Which installation made it. */
  readonly houseId: string | null;
  /** RFC 3339; null while it lives. */
  readonly deletingSince: string | null;
  /** What keeps it from going, in the cluster's words: for operators only. */
  readonly blockedBy: readonly string[];
}

/** Ours by its labels. One that names no house is of a time when there was only one. */
export function isOwnNamespace(
  { instanceId, houseId }: NamespaceFact,
  spec: { readonly instanceId: string; readonly houseId: string },
): boolean {
  return instanceId === spec.instanceId && (houseId === null || houseId === spec.houseId);
}

export interface WorkloadFact {
  readonly name: string;
  readonly desiredReplicas: number;
  /** Pods that its controller counts. */
  readonly replicas: number;
  /** The controller has seen the newest spec, and every wanted pod runs it and is available. */
  readonly isReady: boolean;
  /** This rollout has been complete once, whatever happened to its pods since. */
  readonly isRolledOut: boolean;
  readonly deadlineExceeded: boolean;
  /** Why its controller may not create pods. */
  readonly refusal: ReasonCode | null;
}

export interface JobFact {
  readonly name: string;
  readonly state: "running" | "complete" | "failed";
}

export interface VolumeFact {
  readonly name: string;
  readonly state: "bound" | "pending" | "lost";
  /** What it got, which may be more than was asked for; null while it has nothing. */
  readonly capacityBytes: number | null;
  /** What has become of the wish for more. `mount`: the disk is larger, and is made use of as soon as a pod runs. */
  readonly growth: "none" | "failed" | "mount";
  readonly createdAt: string | null;
}

export interface IngressFact {
  readonly name: string;
  readonly createdAt: string | null;
}

/** All that one look at an instance found. */
export interface InstanceFacts {
  readonly namespace: NamespaceFact | null;
  readonly workloads: readonly WorkloadFact[];
  readonly pods: readonly PodFact[];
  readonly jobs: readonly JobFact[];
  readonly volumes: readonly VolumeFact[];
  readonly ingresses: readonly IngressFact[];
  /** Machines that do not answer any more. */
  readonly lostNodes: ReadonlySet<string>;
}

export function toNamespaceFact(namespace: LiveNamespace): NamespaceFact {
  const conditions = namespace.status?.conditions ?? [];
  return {
    uid: namespace.metadata.uid ?? "",
    instanceId: namespace.metadata.labels?.[labelKeys.instance] ?? null,
    houseId: namespace.metadata.labels?.[labelKeys.house] ?? null,
    deletingSince: namespace.metadata.deletionTimestamp ?? null,
    blockedBy: conditions.filter(({ status }) => status === "True").map(({ message }) => message ?? ""),
  };
}

export function toWorkloadFact(live: LiveWorkload, kind: "Deployment" | "StatefulSet"): WorkloadFact {
  const status = live.status ?? {};
  const desired = live.spec?.replicas ?? 1;
  const progressing = status.conditions?.find(({ type }) => type === "Progressing");
  const failure = status.conditions?.find(({ type, status: value }) => type === "ReplicaFailure" && value === "True");
  const isSeen = (status.observedGeneration ?? 0) >= (live.metadata.generation ?? 0);
  const available = kind === "Deployment" ? status.availableReplicas : status.readyReplicas;
  const isCurrent =
    kind === "Deployment" || status.currentRevision === status.updateRevision || status.updatedReplicas === desired;
  return {
    name: live.metadata.name,
    desiredReplicas: desired,
    replicas: status.replicas ?? 0,
    isReady:
      isSeen && isCurrent && [status.replicas, available, updatedOf(live, kind)].every((n) => (n ?? 0) === desired),
    isRolledOut: isSeen && (kind === "StatefulSet" ? isCurrent : progressing?.reason === "NewReplicaSetAvailable"),
    deadlineExceeded: progressing?.reason === "ProgressDeadlineExceeded",
    refusal: failure === undefined ? null : refusalReason(failure.message ?? ""),
  };
}

/** A StatefulSet counts updated pods only while an update runs. */
function updatedOf(live: LiveWorkload, kind: "Deployment" | "StatefulSet"): number | undefined {
  return kind === "Deployment" ? live.status?.updatedReplicas : (live.status?.updatedReplicas ?? live.status?.replicas);
}

/** What admission said when it refused a controller's pod; null when it says nothing that we know. */
export function refusalReason(message: string): ReasonCode | null {
  if (message.includes("violates PodSecurity")) return "POD_SECURITY";
  return isQuotaText(message) ? "QUOTA_EXCEEDED" : null;
}

export function toJobFact(job: LiveJob): JobFact {
  const holds = (wanted: string): boolean =>
    job.status?.conditions?.some(({ type, status }) => type === wanted && status === "True") ?? false;
  return { name: job.metadata.name, state: holds("Complete") ? "complete" : holds("Failed") ? "failed" : "running" };
}

export function toVolumeFact(claim: LiveVolumeClaim): VolumeFact {
  const phase = claim.status?.phase;
  const capacity = claim.status?.capacity?.storage;
  return {
    name: claim.metadata.name,
    state: phase === "Bound" ? "bound" : phase === "Lost" ? "lost" : "pending",
    capacityBytes: phase === "Bound" && capacity !== undefined ? parseBytes(capacity) : null,
    growth: growthOf(claim),
    createdAt: claim.metadata.creationTimestamp ?? null,
  };
}

function growthOf({ status }: LiveVolumeClaim): VolumeFact["growth"] {
  const holds = (wanted: RegExp): boolean =>
    status?.conditions?.some(({ type, status: value }) => value === "True" && wanted.test(type)) ?? false;
  const stage = status?.allocatedResourceStatuses?.storage ?? "";
  if (holds(/^(Controller|Node)ResizeError$/) || stage.endsWith("Infeasible")) return "failed";
  return holds(/^FileSystemResizePending$/) ? "mount" : "none";
}

export function toIngressFact(ingress: LiveObject): IngressFact {
  return { name: ingress.metadata.name, createdAt: ingress.metadata.creationTimestamp ?? null };
}
