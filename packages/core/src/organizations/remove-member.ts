import { authorize, lockMembers } from "../accounts/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { revokeTokensOf } from "../tokens/index.ts";
import { revokeInvitationsOf } from "./invitations.ts";
import { assertMayTouch, type MemberView } from "./member.ts";
import { deleteMember, getMember, refuseLastOwner } from "./members.ts";

/** Takes somebody out, with the invitations that they sent and the API tokens that they made. Throws NOT_FOUND, LAST_OWNER, and FORBIDDEN for who stands above the actor. */
export async function removeMember(
  ctx: CoreContext,
  input: { readonly userId: string; readonly idempotencyKey: string },
): Promise<MemberView> {
  authorize(ctx.actor, "member.write");
  const { idempotencyKey: key, userId } = input;
  return once(ctx, { key, procedure: "organizations.members.remove", input: { userId } }, async (tx) => {
    const acting = await lockMembers(tx);
    const member = await getMember(tx, userId);
    assertMayTouch(acting, member.role);
    return endMembership(tx, member, "member.removed");
  });
}

/** The actor goes by themselves. Throws LAST_OWNER. */
export async function leaveOrganization(ctx: CoreContext): Promise<MemberView> {
  const { actor } = ctx;
  authorize(actor, "organization.leave");
  assert(actor.type === "user", "only a user is a member");
  return ctx.transaction(async (tx) => {
    await lockMembers(tx);
    return endMembership(tx, await getMember(tx, actor.userId), "member.left");
  });
}

/** Under the lock of the organization. Throws LAST_OWNER. */
export async function endMembership(
  tx: Tx,
  member: MemberView,
  type: "member.removed" | "member.left",
): Promise<MemberView> {
  const { userId, role } = member;
  await refuseLastOwner(tx, member);
  await revokeInvitationsOf(tx, userId);
  await revokeTokensOf(tx, userId);
  await deleteMember(tx, userId);
  record(tx, {
    type,
    subject: { type: "user", id: userId },
    data: { userId, role },
    before: member,
    after: { userId, role: null },
  });
  return member;
}
