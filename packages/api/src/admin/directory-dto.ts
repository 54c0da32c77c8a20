import type { ListInput, MoneyDto } from "../dto.ts";

export interface FindInput extends ListInput {
  /** The id of one, or a part of its name; of users also of the address, of payments of the reference, of apps of the host. */
  readonly search?: string | undefined;
}

export interface FindOfOrganizationInput extends FindInput {
  readonly organizationId?: string | undefined;
}

export type SubscriptionStatus = "pending" | "active" | "past_due" | "expired" | "cancelled";
export interface FindSubscriptionsInput extends FindOfOrganizationInput {
  readonly status?: SubscriptionStatus | undefined;
}

export type ObservedPhase =
  "unknown" | "provisioning" | "running" | "degraded" | "stopped" | "failed" | "deleting" | "absent";
export interface FindInstancesInput extends FindOfOrganizationInput {
  readonly observedPhase?: ObservedPhase | undefined;
}

export interface AdminOrganizationDto {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly country: string | null;
  readonly members: number;
  /** That may still run or be charged. */
  readonly liveSubscriptions: number;
  /** Since when no money moves, because its books are wrong. */
  readonly parkedAt: Date | null;
  readonly isOnTestClock: boolean;
  readonly createdAt: Date;
}

export interface AdminUserDto {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly locale: "id" | "en";
  readonly isOperator: boolean;
  readonly emailVerifiedAt: Date | null;
  readonly suspendedAt: Date | null;
  readonly createdAt: Date;
  readonly organizations: readonly { readonly id: string; readonly name: string; readonly role: string }[];
}

export interface UserReasonInput {
  readonly userId: string;
  /** For the audit; the user is not told. */
  readonly reason: string;
}

export interface SuspensionDto {
  readonly userId: string;
  /** Null for who may log in. */
  readonly suspendedAt: Date | null;
}

export interface ImpersonateInput {
  readonly userId: string;
  /** They act in this organization of theirs, and in no other. */
  readonly organizationId: string;
  /** 10 to 500 characters; the user is told. */
  readonly reason: string;
  /** 1 to 60. */
  readonly minutes: number;
}

/** Told this one time. The cookie of the operator stays as it is: send the token as `Authorization: Bearer …`. */
export interface StartedImpersonationDto {
  readonly sessionId: string;
  readonly token: string;
  readonly endsAt: Date;
}

export interface EndImpersonationInput {
  readonly userId: string;
  readonly organizationId: string;
}

export interface EndedImpersonationsDto {
  readonly count: number;
}

export interface ResetSecondFactorDto {
  readonly userId: string;
}

interface OfOrganization {
  readonly id: string;
  readonly organizationId: string;
  readonly organizationName: string;
}

export interface AdminOrderDto extends OfOrganization {
  readonly subscriptionId: string;
  readonly offeringSlug: string;
  readonly planSlug: string;
  /** With its taxes. */
  readonly total: MoneyDto;
  readonly placedAt: Date;
}

export interface AdminSubscriptionDto extends OfOrganization {
  readonly instanceId: string;
  readonly instanceName: string;
  readonly offeringSlug: string;
  readonly planSlug: string;
  readonly status: SubscriptionStatus;
  /** For each period, before taxes that are added. */
  readonly price: MoneyDto;
  readonly interval: "P30D" | "P1M";
  readonly currentPeriodEnd: Date | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly createdAt: Date;
}

export interface AdminInstanceDto extends OfOrganization {
  readonly subscriptionId: string;
  readonly name: string;
  /** One label under the domain of the apps. */
  readonly host: string;
  readonly desiredPhase: "running" | "stopped" | "absent";
  readonly observedPhase: ObservedPhase;
  readonly reason: string | null;
  readonly nodeName: string | null;
  readonly observedAt: Date | null;
  readonly removedAt: Date | null;
  readonly createdAt: Date;
  /** What keeps it stopped whatever its customer asks for. */
  readonly holds: readonly {
    readonly kind: "operator" | "abuse" | "books";
    readonly reason: string;
    /** What the customer is told. */
    readonly message: string | null;
    readonly placedAt: Date;
  }[];
}

export interface ForceInput {
  readonly instanceId: string;
  /** For the audit; the customer is not told. */
  readonly reason: string;
  /** 8 to 128 characters of `A-Z a-z 0-9 _ -`, made up by the client for this one intention. */
  readonly idempotencyKey: string;
}

export interface HoldInput extends ForceInput {
  readonly kind: "operator" | "abuse";
  /** For the customer, as it is. */
  readonly message?: string | undefined;
}

export interface ReleaseInput extends ForceInput {
  readonly kind: "operator" | "abuse" | "books";
}

export interface RemoveByForceInput extends ForceInput {
  readonly message?: string | undefined;
  /** The app's name: the data is deleted at once. Left out, it is kept for what is paid, and for the grace period after it. */
  readonly confirmName?: string | undefined;
}

export interface AdminPaymentDto extends OfOrganization {
  readonly invoiceId: string;
  readonly provider: "manual" | "wallet" | "sandbox";
  /** What the bank or the gateway calls it. */
  readonly reference: string | null;
  readonly amount: MoneyDto;
  readonly refunded: MoneyDto;
  readonly receivedAt: Date;
}

export interface AdminJobDto {
  readonly id: string;
  readonly task: string;
  /** Two of one key are never in the queue at once. */
  readonly key: string | null;
  readonly status: JobStatus;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly runAt: Date;
  readonly lastError: string | null;
  readonly lockedBy: string | null;
  readonly requestId: string | null;
}

export type JobStatus = "waiting" | "running" | "failed";
export interface ListJobsInput extends ListInput {
  /** Such as `instance:reconcile`. */
  readonly task?: string | undefined;
  readonly status?: JobStatus | undefined;
}

interface PageOf<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}
export interface AdminOrganizationPageDto extends PageOf<AdminOrganizationDto> {}
export interface AdminUserPageDto extends PageOf<AdminUserDto> {}
export interface AdminOrderPageDto extends PageOf<AdminOrderDto> {}
export interface AdminSubscriptionPageDto extends PageOf<AdminSubscriptionDto> {}
export interface AdminInstancePageDto extends PageOf<AdminInstanceDto> {}
export interface AdminPaymentPageDto extends PageOf<AdminPaymentDto> {}
export interface AdminJobPageDto extends PageOf<AdminJobDto> {}
