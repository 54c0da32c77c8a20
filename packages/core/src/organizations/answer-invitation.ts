import { databaseErrorOf } from "@sewa/db";
import { invitations, members } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { authorize, findRole, getOrganization, lockOrganization, loggedOut } from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { refuseOtherDomain } from "./create-invitation.ts";
import { assertInvited, type InvitationPreview, readInvited } from "./find-invitation.ts";
import { deriveInvitationStatus, invitationInvalid, type InvitationRow } from "./invitation.ts";
import { settleInvitation } from "./invitations.ts";
import type { MembershipView } from "./list-organizations.ts";
import { maxMembers } from "./member.ts";

/**
 * Makes the actor a member, who has to be the user of the address that was invited. Saying it again answers the same as
 * long as they are one. Throws TOKEN_INVALID, WRONG_ACCOUNT, EMAIL_NOT_VERIFIED, QUOTA_EXCEEDED.
 */
export async function acceptInvitation(ctx: CoreContext, input: { readonly token: string }): Promise<MembershipView> {
  return answer(ctx, input.token, async (tx, invitation, userId) => {
    const member = await findRole(tx, userId);
    if (invitation.status === "accepted" && invitation.userId === userId && member !== null) {
      return { organization: await getOrganization(tx), role: member };
    }
    refuseUnlessPending(tx, invitation);
    const organization = await getOrganization(tx);
    refuseOtherDomain(invitation.email, organization.settings.allowedEmailDomains);
    await settleInvitation(tx, invitation.id, { status: "accepted", userId });
    if (member !== null) return { organization, role: member };
    await refuseTooMany(tx);
    const { role } = invitation;
    await tx.sql
      .insert(members)
      .values({ organizationId: organization.id, userId, role })
      .catch((error: unknown) => {
        throw databaseErrorOf(error)?.constraint === "users_living" ? loggedOut() : error;
      });
    const data = { userId, role, invitationId: invitation.id };
    record(tx, { type: "member.joined", subject: { type: "user", id: userId }, data });
    return { organization, role };
  });
}

/** Says no, which only who was invited can. Throws TOKEN_INVALID, WRONG_ACCOUNT, EMAIL_NOT_VERIFIED. */
export async function declineInvitation(
  ctx: CoreContext,
  input: { readonly token: string },
): Promise<InvitationPreview> {
  await answer(ctx, input.token, async (tx, invitation) => {
    if (invitation.status === "declined") return;
    refuseUnlessPending(tx, invitation);
    await settleInvitation(tx, invitation.id, { status: "declined" });
    const subject = { type: "invitation", id: invitation.id };
    record(tx, { type: "invitation.declined", subject, data: { invitationId: invitation.id, role: invitation.role } });
  });
  const { preview } = await readInvited(ctx, input.token);
  return preview;
}

/** In the organization that invites, with its members locked: of two answers at once, the second finds the first. */
async function answer<T>(
  ctx: CoreContext,
  token: string,
  work: (tx: Tx, invitation: InvitationRow, userId: string) => Promise<T>,
): Promise<T> {
  const { actor } = ctx;
  authorize(actor, "account.read");
  assert(actor.type === "user", "only a user is invited");
  const { userId } = actor;
  const { invitationId, organizationId, preview } = await readInvited(ctx, token);
  await assertInvited(ctx, userId, preview.email);
  const bound = ctx.as(userActor(userId, preview.role)).forOrganization(organizationId);
  return bound.transaction(async (tx) => {
    await lockOrganization(tx);
    const own = and(eq(invitations.organizationId, organizationId), eq(invitations.id, invitationId));
    const [invitation] = await tx.sql.select().from(invitations).where(own);
    assert(invitation !== undefined, "a token belongs to an invitation");
    return work(tx, invitation, userId);
  });
}

function refuseUnlessPending(tx: Tx, invitation: InvitationRow): void {
  if (deriveInvitationStatus(invitation, tx.ctx.clock.now()) !== "pending") throw invitationInvalid();
}

async function refuseTooMany(tx: Tx): Promise<void> {
  if ((await tx.sql.$count(members, eq(members.organizationId, organizationOf(tx)))) < maxMembers) return;
  throw new DomainError("QUOTA_EXCEEDED", `An organization has at most ${maxMembers} members.`);
}
