import { authorize, lockMembers } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { isAtLeast, type MemberRole } from "../roles.ts";
import { revokeInvitationsOf } from "./invitations.ts";
import { assertMayGrant, assertMayTouch, type MemberView } from "./member.ts";
import { getMember, refuseLastOwner, updateRole } from "./members.ts";

/**
 * Says what a member is from now on. Open connections of theirs hear of it by the event. Throws NOT_FOUND, LAST_OWNER, and
 * FORBIDDEN for a role above the actor's own, given or taken.
 */
export async function changeMemberRole(
  ctx: CoreContext,
  { userId, role }: { readonly userId: string; readonly role: MemberRole },
): Promise<MemberView> {
  authorize(ctx.actor, "member.write");
  return ctx.transaction(async (tx) => {
    const acting = await lockMembers(tx);
    const before = await getMember(tx, userId);
    assertMayTouch(acting, before.role);
    assertMayGrant(acting, role);
    if (before.role === role) return before;
    await refuseLastOwner(tx, before);
    await updateRole(tx, userId, role);
    if (!isAtLeast(role, before.role)) await revokeInvitationsOf(tx, userId);
    const after = { ...before, role };
    const subject = { type: "user", id: userId };
    record(tx, { type: "member.roleChanged", subject, data: { userId, role, formerRole: before.role }, before, after });
    return after;
  });
}
