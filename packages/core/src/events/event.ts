/**
 * Every kind of event, past tense. `audited`: something that a person or the money did, so it also gets an audit row;
 * the rest tells how the machines are doing. `isReasonOfHouse`: why an operator did it is for operators, and not for the customer.
 */
export const eventTypes = {
  "user.registered": { audited: true },
  "user.emailVerified": { audited: true },
  "user.loggedIn": { audited: true },
  "user.loggedOut": { audited: true },
  "user.passwordResetRequested": { audited: true },
  "user.passwordReset": { audited: true },
  "user.passwordChanged": { audited: true },
  "user.confirmed": { audited: true },
  "user.sessionRevoked": { audited: true },
  "user.otherSessionsRevoked": { audited: true },
  "user.totpBegun": { audited: true },
  "user.totpEnabled": { audited: true },
  "user.totpDisabled": { audited: true },
  "user.recoveryCodesRenewed": { audited: true },
  "user.recoveryCodeUsed": { audited: true },
  "user.identityLinked": { audited: true },
  "user.identityUnlinked": { audited: true },
  "user.totpReset": { audited: true, isReasonOfHouse: true },
  "user.impersonationBegan": { audited: true },
  "user.impersonationEnded": { audited: true },
  "user.suspended": { audited: true, isReasonOfHouse: true },
  "user.unsuspended": { audited: true, isReasonOfHouse: true },
  "user.dataExported": { audited: true },
  "operator.invited": { audited: true },
  "operator.accepted": { audited: true },
  "organization.created": { audited: true },
  "organization.updated": { audited: true },
  "organization.ownershipTransferred": { audited: true },
  "organization.closed": { audited: true },
  "member.joined": { audited: true },
  "member.roleChanged": { audited: true },
  "member.removed": { audited: true },
  "member.left": { audited: true },
  "invitation.created": { audited: true },
  "invitation.revoked": { audited: true },
  "invitation.declined": { audited: true },
  "token.created": { audited: true },
  "token.revoked": { audited: true },
  "organization.parked": { audited: true },
  "organization.unparked": { audited: true },
  "order.placed": { audited: true },
  "subscription.activated": { audited: true },
  "subscription.renewed": { audited: true },
  "subscription.pastDue": { audited: true },
  "subscription.expired": { audited: true },
  "subscription.reactivated": { audited: true },
  "subscription.cancelScheduled": { audited: true },
  "subscription.cancelUndone": { audited: true },
  "subscription.cancelled": { audited: true },
  "subscription.planChanged": { audited: true },
  "subscription.purged": { audited: true },
  "subscription.capped": { audited: true },
  "subscription.capLifted": { audited: true },
  "spending.limitsSet": { audited: true },
  "invoice.opened": { audited: true },
  "invoice.paid": { audited: true },
  "invoice.voided": { audited: true },
  "invoice.uncollectible": { audited: true },
  "payment.recorded": { audited: true },
  "payment.started": { audited: true },
  "payment.awaited": { audited: false },
  "payment.failed": { audited: true },
  "payment.creditedToWallet": { audited: true },
  "payment.foundNoRoom": { audited: true },
  "payment.refunded": { audited: true },
  "payment.refundSettled": { audited: true },
  "creditNote.issued": { audited: true },
  "coupon.redeemed": { audited: true },
  "coupon.returned": { audited: true },
  "wallet.toppedUp": { audited: true },
  "wallet.adjusted": { audited: true },
  "wallet.autoTopUpSet": { audited: true },
  "wallet.autoTopUpStopped": { audited: true },
  "paymentMethod.saved": { audited: true },
  "paymentMethod.removed": { audited: true },
  "paymentMethod.automaticSet": { audited: true },
  "instance.created": { audited: true },
  "instance.startRequested": { audited: true },
  "instance.stopRequested": { audited: true },
  "instance.restartRequested": { audited: true },
  "instance.credentialsRevealed": { audited: true },
  "instance.desiredChanged": { audited: true },
  "instance.restartForced": { audited: true, isReasonOfHouse: true },
  "instance.removalForced": { audited: true, isReasonOfHouse: true },
  "instance.held": { audited: true, isReasonOfHouse: true },
  "instance.holdLifted": { audited: true, isReasonOfHouse: true },
  "instance.ready": { audited: false },
  "instance.phaseChanged": { audited: false },
  "instance.stopped": { audited: false },
  "instance.wentDown": { audited: false },
  "instance.cameBack": { audited: false },
  "instance.removed": { audited: true },
  "instance.repaired": { audited: true },
  "instance.orphanRemoved": { audited: true },
  "instance.provisioningFailed": { audited: true },
  "operation.started": { audited: false },
  "operation.stepFinished": { audited: false },
  "operation.succeeded": { audited: false },
  "operation.failed": { audited: true },
  "operation.cancelled": { audited: false },
  "subscription.planScheduled": { audited: true },
  "subscription.planUnscheduled": { audited: true },
  "change.planned": { audited: false },
  "change.approved": { audited: true },
  "change.started": { audited: true },
  "change.executed": { audited: true },
  "change.failed": { audited: true },
  "change.refused": { audited: true },
  "change.expired": { audited: false },
  "clock.advanced": { audited: true },
} as const satisfies Record<string, { readonly audited: boolean; readonly isReasonOfHouse?: true }>;

export type EventType = keyof typeof eventTypes;

const reasonsOfHouse: ReadonlySet<string> = new Set(
  Object.entries(eventTypes).flatMap(([type, traits]) => ("isReasonOfHouse" in traits ? [type] : [])),
);

/** Whether the reason in the audit row of such an action is kept from the customer. */
export function isReasonOfHouse(action: string): boolean {
  return reasonsOfHouse.has(action);
}

export interface DomainEvent {
  readonly type: EventType;
  readonly orderId?: string;
  readonly subscriptionId?: string;
  readonly instanceId?: string;
  /** What the audit row is about, where it is none of the three above. */
  readonly subject?: { readonly type: string; readonly id: string };
  /** Facts for customers. No secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** For the audit row only. */
  readonly before?: unknown;
  readonly after?: unknown;
  readonly reason?: string | null;
}
