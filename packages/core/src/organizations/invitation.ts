import type { invitations } from "@sewa/db/schema";
import { dayMs } from "../clock.ts";
import { DomainError } from "../errors.ts";

/**
 * - pending: mailed, and good until `expiresAt`. One per organization and address. Accepted, declined, revoked or replaced.
 * - accepted: by the user of the address, who is a member since. Terminal, like all that follow.
 * - declined: by the same.
 * - revoked: by a member, or because who sent it is gone or has become less.
 * - expired: nobody answered; stored when another one takes its place, derived until then.
 */
export type InvitationStatus = typeof invitations.$inferSelect.status;

export type InvitationRow = typeof invitations.$inferSelect;

export const invitationMs = 7 * dayMs;
/** Of one organization, at once. */
export const maxPendingInvitations = 50;

/** Real time, like all that opens something. */
export function deriveInvitationStatus(
  invitation: Pick<InvitationRow, "status" | "expiresAt">,
  now: Date,
): InvitationStatus {
  return invitation.status === "pending" && invitation.expiresAt <= now ? "expired" : invitation.status;
}

/** The same words for a link that is wrong, was answered, was taken back or is too old. */
export function invitationInvalid(): DomainError {
  return new DomainError("TOKEN_INVALID", "This invitation is not valid any more.");
}
