import { authorize, lockMembers } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import type { MemberView } from "./member.ts";
import { getMember, updateRole } from "./members.ts";

/** Makes another member an owner, and the actor an admin. Answers the new owner. Throws NOT_FOUND, and CONFLICT for oneself. */
export async function transferOwnership(
  ctx: CoreContext,
  { userId }: { readonly userId: string },
): Promise<MemberView> {
  const { actor } = ctx;
  authorize(actor, "organization.transfer");
  assert(actor.type === "user", "only a user is an owner");
  return ctx.transaction(async (tx) => {
    if ((await lockMembers(tx)) !== "owner") throw new DomainError("FORBIDDEN", "You may not do this.");
    const before = await getMember(tx, userId);
    if (userId === actor.userId) throw new DomainError("CONFLICT", "You are the owner already.");
    await updateRole(tx, userId, "owner");
    await updateRole(tx, actor.userId, "admin");
    const after: MemberView = { ...before, role: "owner" };
    const subject = { type: "user", id: userId };
    record(tx, { type: "organization.ownershipTransferred", subject, data: { userId }, before, after });
    return after;
  });
}
