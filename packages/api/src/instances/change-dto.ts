import type { ListInput, MoneyDto } from "../dto.ts";
import type { AddonCountsDto, ParameterValueDto, PlanLimitsDto } from "../offerings/dto.ts";
import type { CapacityDto } from "../orders/dto.ts";

export type ChangeKindDto = "resize" | "update" | "upgrade" | "deprovision";

/**
 * `planning` until a worker has looked, then `planned` or `refused`. Approved, it waits for money (`awaiting_payment`) or is
 * `approved` until a worker has seen that the world is as planned; `executing` while the operation runs.
 */
export type ChangeStatusDto =
  | "planning"
  | "planned"
  | "awaiting_payment"
  | "approved"
  | "executing"
  | "executed"
  | "failed"
  | "refused"
  | "expired";

export type ChangeReasonDto =
  | "PLAN_STALE"
  | "VOLUME_CANNOT_GROW"
  | "OBJECT_REFUSED"
  | "CLUSTER_UNREACHABLE"
  | "OPERATION_FAILED"
  | "SUPERSEDED"
  | "NOT_APPROVED"
  | "NOT_PAID"
  | "NO_ROOM";

export interface ChangeWarningDto {
  readonly code:
    | "RESTARTS"
    | "DATA_DELETED"
    | "VOLUME_CANNOT_SHRINK"
    | "VOLUME_CANNOT_GROW"
    | "VOLUME_UNMOUNTED"
    | "NOTHING_REFUNDED"
    | "NEXT_PERIOD_REFUNDED"
    | "RENEWAL_REOPENED"
    | "NO_ROOM";
  /** A sentence for the customer. */
  readonly message: string;
}

export interface ChangedObjectDto {
  readonly kind: string;
  /** Null for the namespace of the app. */
  readonly name: string | null;
  readonly action: "created" | "changed" | "deleted";
  /** Paths of fields that change, without their values. */
  readonly fields: readonly string[];
}

export interface LostDataDto {
  readonly kind: "volume" | "secrets";
  readonly name: string;
  readonly sizeBytes: number | null;
}

/** What the app is made of, before or after. */
export interface ChangeShapeDto {
  readonly planId: string;
  readonly planName: string;
  readonly parameters: Readonly<Record<string, ParameterValueDto>>;
  /** How many of each add-on, by its slug; the limits are with them. */
  readonly addons: AddonCountsDto;
  readonly limits: PlanLimitsDto;
  /** For a whole period. */
  readonly price: MoneyDto;
}

export interface RoomDifferenceDto {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
}

/** What a worker saw: objects that come, change and go, and what that means. */
export interface ChangeEffectsDto {
  readonly objects: readonly ChangedObjectDto[];
  /** Data that nobody can bring back afterwards. */
  readonly dataLost: readonly LostDataDto[];
  readonly warnings: readonly ChangeWarningDto[];
  /** Whether there was room for the difference when this was planned. */
  readonly capacity: CapacityDto;
  /** What the app takes on the machines beside what it has; negative where it gives back. */
  readonly room: RoomDifferenceDto;
}

/** A change of an app: what would happen, what it costs, and what has become of it. */
export interface ChangeDto {
  readonly id: string;
  readonly instanceId: string;
  readonly kind: ChangeKindDto;
  readonly status: ChangeStatusDto;
  readonly reason: ChangeReasonDto | null;
  readonly message: string | null;
  readonly before: ChangeShapeDto;
  /** Null when the app is removed. */
  readonly after: ChangeShapeDto | null;
  /** To be paid now, for the rest of the running period. */
  readonly due: MoneyDto;
  /** Null while it is being planned. */
  readonly effects: ChangeEffectsDto | null;
  /** Stands for all of this; hand it to `instances.executePlan`. Null while it is being planned. */
  readonly hash: string | null;
  readonly invoiceId: string | null;
  readonly operationId: string | null;
  readonly plannedAt: Date;
  /** Until when it can be approved or, once it was, be paid. */
  readonly expiresAt: Date;
  readonly approvedAt: Date | null;
  readonly endedAt: Date | null;
}

export interface ChangePageDto {
  readonly items: readonly ChangeDto[];
  readonly nextCursor: string | null;
}

export type ChangeRequestDto =
  | { readonly kind: "resize"; readonly planId: string }
  /**
   * Only what is to change; the other parameters and add-ons stay. Of add-ons there can only be more, so many altogether, and they are
   * changed by themselves, without parameters.
   */
  | {
      readonly kind: "update";
      readonly parameters?: Readonly<Record<string, ParameterValueDto>> | undefined;
      readonly addons?: AddonCountsDto | undefined;
    }
  /** To the version of the app that new orders get. */
  | { readonly kind: "upgrade"; readonly parameters?: Readonly<Record<string, ParameterValueDto>> | undefined }
  | { readonly kind: "deprovision" };

export interface PlanChangeInput {
  readonly instanceId: string;
  readonly change: ChangeRequestDto;
  readonly idempotencyKey: string;
}

export interface ListPlansInput extends ListInput {
  readonly instanceId?: string | undefined;
}

export interface ChangeInput {
  readonly changeId: string;
}

export interface ExecutePlanInput {
  readonly changeId: string;
  /** Of the plan that the customer has seen. */
  readonly hash: string;
  /** The app's name, to remove it. */
  readonly confirmName?: string | undefined;
  readonly idempotencyKey: string;
}
