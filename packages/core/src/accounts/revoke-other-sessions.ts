import type { CoreContext } from "../context.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { lockAccount } from "./account.ts";
import { bindHome } from "./memberships.ts";
import { endOtherSessions, lockSession, type SessionHolder } from "./sessions.ts";

/** Ends all sessions of the user but the one that asks. Answers how many. Throws UNAUTHORIZED when that one has ended itself. */
export async function revokeOtherSessions(ctx: CoreContext, holder: SessionHolder): Promise<number> {
  authorize(ctx.actor, "account.write");
  const { userId } = holder;
  const bound = await bindHome(ctx, userId);
  return bound.transaction(async (tx) => {
    // Of two that would end each other, the first one does.
    await lockAccount(tx, userId);
    await lockSession(tx, holder);
    const count = await endOtherSessions(tx, holder);
    if (count === 0) return count;
    notifyUser(tx, userId);
    record(tx, { type: "user.otherSessionsRevoked", subject: { type: "user", id: userId }, data: { count } });
    return count;
  });
}
