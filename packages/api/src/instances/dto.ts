import type { OfferingRefDto } from "../dto.ts";
import type { EventDto } from "../events/dto.ts";
import type { AddonCountsDto } from "../offerings/dto.ts";
import type { OperationDto } from "../operations/dto.ts";

export type ObservedPhaseDto =
  "unknown" | "provisioning" | "running" | "degraded" | "stopped" | "failed" | "deleting" | "absent";

/** Why an app is not as it should be. Each comes with a sentence in `message`. */
export type ReasonDto =
  | "IMAGE_PULL_FAILED"
  | "CRASH_LOOP"
  | "OUT_OF_MEMORY"
  | "CONFIG_ERROR"
  | "UNSCHEDULABLE"
  | "VOLUME_UNBOUND"
  | "VOLUME_GROWING"
  | "VOLUME_NOT_GROWN"
  | "QUOTA_EXCEEDED"
  | "POD_SECURITY"
  | "STARTING"
  | "NOT_READY"
  | "CLAIM_RUNNING"
  | "CLAIM_FAILED"
  | "HEALTH_CHECK_FAILED"
  | "STOPPING"
  | "DELETING"
  | "DELETION_STUCK"
  | "NAME_TAKEN"
  | "INVALID_OBJECT"
  | "CLUSTER_UNREACHABLE"
  | "CLUSTER_DENIED"
  | "NODE_LOST"
  | "DEADLINE_EXCEEDED";

export interface ConditionDto {
  readonly type: "Applied" | "VolumeBound" | "PodsReady" | "OwnerClaimed" | "AddressOpen" | "Healthy";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: ReasonDto | null;
  readonly message: string | null;
}

export interface PodDto {
  readonly name: string;
  /** The part of the app that it runs. */
  readonly workload: string;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  readonly ready: boolean;
  readonly restarts: number;
  readonly reason: ReasonDto | null;
  readonly message: string | null;
  readonly startedAt: Date | null;
}

/** A rented app. */
export type HoldReasonDto = "HELD_BY_OPERATOR" | "HELD_FOR_ABUSE" | "HELD_FOR_BOOKS";

export interface InstanceDto {
  readonly id: string;
  readonly subscriptionId: string;
  readonly name: string;
  /** Where it answers once `isOpen`. */
  readonly url: string;
  readonly isOpen: boolean;
  readonly offering: OfferingRefDto;
  readonly planName: string;
  /** How many of each add-on of the plan, by its slug. */
  readonly addons: AddonCountsDto;
  readonly desiredPhase: "running" | "stopped" | "absent";
  /** What the customer last asked for; outlives an expiry. */
  readonly requestedPhase: "running" | "stopped";
  readonly observedPhase: ObservedPhaseDto;
  /** Why an operator, or the house, keeps it stopped; else why it is not as desired. */
  readonly reason: ReasonDto | HoldReasonDto | null;
  readonly message: string | null;
  readonly conditions: readonly ConditionDto[];
  readonly pods: readonly PodDto[];
  /** Raised by every change that can be seen here; the id of `onStatus`. */
  readonly revision: number;
  readonly createdAt: Date;
  /** First time that everything was up. */
  readonly readyAt: Date | null;
  readonly observedAt: Date | null;
  /** Nothing is left of it. */
  readonly removedAt: Date | null;
  /** The newest; its steps are what a page shows while something happens. */
  readonly operation: OperationDto | null;
}

export interface InstancePageDto {
  readonly items: readonly InstanceDto[];
  readonly nextCursor: string | null;
}

export interface CredentialDto {
  readonly name: string;
  readonly label: string;
  readonly value: string;
}

export interface CredentialsDto {
  readonly url: string;
  readonly credentials: readonly CredentialDto[];
  /** What to do first. */
  readonly instructions: string | null;
}

export interface PodsDto {
  readonly items: readonly PodDto[];
  readonly observedAt: Date | null;
}

/** `reset`: what came before is no longer kept, or the id was not ours; read the lists anew, events follow from `sequence` on. */
export type EventStreamDto =
  { readonly kind: "event"; readonly event: EventDto } | { readonly kind: "reset"; readonly sequence: number };

export interface LogLineDto {
  /** Null for a line without a time. */
  readonly at: Date | null;
  /** Control characters are spelled out (`\\x1b`), and a line that is too long ends with an ellipsis. */
  readonly text: string;
}

export interface LogsDto {
  readonly pod: string;
  /** Oldest first. */
  readonly lines: readonly LogLineDto[];
  /** There is more before these lines. */
  readonly isTruncated: boolean;
  /** Reading broke off: there is more after these lines, or none could be read. */
  readonly gap: boolean;
}

/**
 * `gap`: lines between the two moments are missing; `to` is null when nothing has followed yet. `end`: the pod is gone or
 * has ended, and the stream with it; another pod may have taken its place.
 */
export type LogStreamDto =
  | { readonly kind: "lines"; readonly pod: string; readonly lines: readonly LogLineDto[] }
  | { readonly kind: "gap"; readonly from: Date; readonly to: Date | null }
  | { readonly kind: "end"; readonly pod: string };

export interface InstanceInput {
  readonly instanceId: string;
}

export interface ListInstancesInput {
  /** Also those whose end was asked for. */
  readonly includeRemoved?: boolean | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface OperateInstanceInput {
  readonly instanceId: string;
  /** 8 to 128 characters of `A-Z a-z 0-9 _ -`, made up by the client for this one intention. */
  readonly idempotencyKey: string;
}

export interface InstanceEventsInput {
  readonly instanceId: string;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface OnStatusInput {
  readonly instanceId: string;
  /** The last revision that was seen; the client's link fills it in when it reconnects. */
  readonly lastEventId?: string | null | undefined;
}

export interface LogsInput {
  readonly instanceId: string;
  /** One of the instance's pods; the one that serves unless told. */
  readonly pod?: string | undefined;
  /** The one that runs the app unless told. */
  readonly container?: string | undefined;
  /** What the run before the last restart has written. */
  readonly previous?: boolean | undefined;
  /** 1 to 1,000; 200 unless told. */
  readonly tailLines?: number | undefined;
}

export interface OnLogInput {
  readonly instanceId: string;
  readonly pod?: string | undefined;
  /** The last id that was seen, so that nothing is sent twice; the client's link fills it in when it reconnects. */
  readonly lastEventId?: string | null | undefined;
}

export interface OnEventInput {
  /** Events of this app only. */
  readonly instanceId?: string | undefined;
  /** The last sequence that was seen: everything after it is replayed. Without one the stream begins now. */
  readonly lastEventId?: string | null | undefined;
}
