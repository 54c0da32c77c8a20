import { invited, users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { door, hashToken } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import type { MemberRole } from "../roles.ts";
import { deriveInvitationStatus, invitationInvalid, type InvitationStatus } from "./invitation.ts";

/** What whoever holds the link may know before they answer, also without an account. */
export interface InvitationPreview {
  readonly organizationName: string;
  readonly inviterName: string;
  readonly email: string;
  readonly role: MemberRole;
  readonly status: InvitationStatus;
  readonly expiresAt: Date;
}

export interface Invited {
  readonly invitationId: string;
  readonly organizationId: string;
  readonly preview: InvitationPreview;
}

/** Throws TOKEN_INVALID for a link that is wrong, was answered, was taken back or is too old, in the same words. */
export async function getInvitation(ctx: CoreContext, input: { readonly token: string }): Promise<InvitationPreview> {
  const { preview } = await readInvited(ctx, input.token);
  if (preview.status !== "pending") throw invitationInvalid();
  return preview;
}

/** Whom a token speaks for: knows no organization yet, so it looks in all of them. Throws TOKEN_INVALID. */
export async function readInvited(ctx: CoreContext, token: string): Promise<Invited> {
  const id = hashToken("invitation", token);
  if (id === null) throw invitationInvalid();
  const [row] = await ctx.db.drizzle
    .select({
      invitationId: invited.invitationId,
      organizationId: invited.organizationId,
      organizationName: invited.organizationName,
      inviterName: invited.inviterName,
      email: invited.email,
      role: invited.role,
      status: invited.status,
      expiresAt: invited.expiresAt,
    })
    .from(door(sql`invitation_by_token(${id})`, "invited"));
  if (row === undefined) throw invitationInvalid();
  const { invitationId, organizationId, ...preview } = row;
  const status = deriveInvitationStatus(row, ctx.clock.now());
  return { invitationId, organizationId, preview: { ...preview, status } };
}

/** Throws WRONG_ACCOUNT unless the user has proven the address that was invited. */
export async function assertInvited(ctx: CoreContext, userId: string, email: string): Promise<void> {
  const [user] = await ctx.transaction((tx) =>
    tx.sql
      .select({ email: users.email, emailVerifiedAt: users.emailVerifiedAt })
      .from(users)
      .where(eq(users.id, userId)),
  );
  assert(user !== undefined, "a user who acts exists");
  if (user.email !== email) {
    throw new DomainError("WRONG_ACCOUNT", "This invitation was sent to another address. Log in with that one.");
  }
  if (user.emailVerifiedAt === null) throw new DomainError("EMAIL_NOT_VERIFIED", "Confirm your e-mail address first.");
}
