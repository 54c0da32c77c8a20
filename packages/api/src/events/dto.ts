export type EventTypeDto =
  | "user.registered"
  | "user.emailVerified"
  | "user.loggedIn"
  | "user.loggedOut"
  | "user.passwordResetRequested"
  | "user.passwordReset"
  | "operator.invited"
  | "operator.accepted"
  | "organization.created"
  | "organization.updated"
  | "organization.ownershipTransferred"
  | "member.joined"
  | "member.roleChanged"
  | "member.removed"
  | "member.left"
  | "invitation.created"
  | "invitation.revoked"
  | "invitation.declined"
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

/** Who did it. `id` is set for users. */
export interface EventActorDto {
  readonly type: "anonymous" | "user" | "operator" | "system";
  readonly id: string | null;
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
