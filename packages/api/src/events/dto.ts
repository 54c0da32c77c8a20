export type EventTypeDto =
  | "user.registered"
  | "user.emailVerified"
  | "user.loggedIn"
  | "user.loggedOut"
  | "user.passwordResetRequested"
  | "user.passwordReset"
  | "user.passwordChanged"
  | "user.confirmed"
  | "user.sessionRevoked"
  | "user.otherSessionsRevoked"
  | "user.totpBegun"
  | "user.totpEnabled"
  | "user.totpDisabled"
  | "user.recoveryCodesRenewed"
  | "user.recoveryCodeUsed"
  | "user.identityLinked"
  | "user.identityUnlinked"
  | "user.totpReset"
  | "user.impersonationBegan"
  | "user.impersonationEnded"
  | "user.suspended"
  | "user.unsuspended"
  | "user.dataExported"
  | "operator.invited"
  | "operator.accepted"
  | "organization.created"
  | "organization.updated"
  | "organization.ownershipTransferred"
  | "organization.closed"
  | "member.joined"
  | "member.roleChanged"
  | "member.removed"
  | "member.left"
  | "invitation.created"
  | "invitation.revoked"
  | "invitation.declined"
  | "token.created"
  | "token.revoked"
  | "organization.parked"
  | "organization.unparked"
  | "order.placed"
  | "subscription.activated"
  | "subscription.renewed"
  | "subscription.pastDue"
  | "subscription.expired"
  | "subscription.reactivated"
  | "subscription.cancelScheduled"
  | "subscription.cancelUndone"
  | "subscription.cancelled"
  | "subscription.planChanged"
  | "subscription.planScheduled"
  | "subscription.planUnscheduled"
  | "subscription.purged"
  | "subscription.capped"
  | "subscription.capLifted"
  | "spending.limitsSet"
  | "invoice.opened"
  | "invoice.paid"
  | "invoice.voided"
  | "invoice.uncollectible"
  | "payment.recorded"
  | "payment.started"
  | "payment.awaited"
  | "payment.failed"
  | "payment.creditedToWallet"
  | "payment.foundNoRoom"
  | "payment.refunded"
  | "payment.refundSettled"
  | "creditNote.issued"
  | "coupon.redeemed"
  | "coupon.returned"
  | "wallet.toppedUp"
  | "wallet.adjusted"
  | "wallet.autoTopUpSet"
  | "wallet.autoTopUpStopped"
  | "paymentMethod.saved"
  | "paymentMethod.removed"
  | "paymentMethod.automaticSet"
  | "instance.created"
  | "instance.startRequested"
  | "instance.stopRequested"
  | "instance.restartRequested"
  | "instance.credentialsRevealed"
  | "instance.desiredChanged"
  | "instance.restartForced"
  | "instance.removalForced"
  | "instance.held"
  | "instance.holdLifted"
  | "instance.ready"
  | "instance.phaseChanged"
  | "instance.stopped"
  | "instance.wentDown"
  | "instance.cameBack"
  | "instance.removed"
  | "instance.repaired"
  | "instance.orphanRemoved"
  | "instance.provisioningFailed"
  | "operation.started"
  | "operation.stepFinished"
  | "operation.succeeded"
  | "operation.failed"
  | "operation.cancelled"
  | "change.planned"
  | "change.approved"
  | "change.started"
  | "change.executed"
  | "change.failed"
  | "change.refused"
  | "change.expired"
  | "clock.advanced";

/** Who did it. `id` is set for users. `operator`: who acted as the user, where it was not they themselves; its `id` is for operators. */
export interface EventActorDto {
  readonly type: "anonymous" | "user" | "operator" | "system";
  readonly id: string | null;
  readonly operator: { readonly id: string | null } | null;
}

/** Something that happened in the organization. */
export interface EventDto {
  readonly id: string;
  /** Counts the organization's events from 1, without gaps. */
  readonly sequence: number;
  readonly type: EventTypeDto;
  readonly orderId: string | null;
  readonly subscriptionId: string | null;
  readonly instanceId: string | null;
  readonly actor: EventActorDto;
  /** Further facts; which ones depends on the type. */
  readonly data: Readonly<Record<string, unknown>>;
  /** On the organization's clock. */
  readonly occurredAt: Date;
}

export interface EventPageDto {
  readonly items: readonly EventDto[];
  readonly nextCursor: string | null;
}

export interface ListEventsInput {
  readonly instanceId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/** What was done, once and for all. */
export interface AuditEntryDto {
  readonly id: string;
  /** Counts the organization's entries from 1, without gaps. */
  readonly sequence: number;
  /** The type of the event. */
  readonly action: string;
  readonly actor: EventActorDto;
  /** What it was done to; `id` as elsewhere, where things of the kind have one. */
  readonly subject: AuditSubjectDto | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string | null;
  /** Stands in the answer of the call, and in everything that came of it. */
  readonly requestId: string | null;
  /** From where; null for what operators and the house did, and where it was erased. */
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  /** On the organization's clock. */
  readonly occurredAt: Date;
  readonly recordedAt: Date;
}

export interface AuditSubjectDto {
  readonly type: string;
  readonly id: string;
}

export interface AuditEntryPageDto {
  readonly items: readonly AuditEntryDto[];
  readonly nextCursor: string | null;
}
