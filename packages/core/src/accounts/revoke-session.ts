import { sessions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { notFound } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { bindHome } from "./memberships.ts";
import type { SessionHolder } from "./sessions.ts";

/** Ends one session of the user, wherever it is open. Throws NOT_FOUND for who has no such one. */
export async function revokeSession(
  ctx: CoreContext,
  { userId, id }: SessionHolder & { readonly id: string },
): Promise<void> {
  authorize(ctx.actor, "account.write");
  const bound = await bindHome(ctx, userId);
  await bound.transaction(async (tx) => {
    const [ended] = await tx.sql
      .delete(sessions)
      .where(and(eq(sessions.handle, id), eq(sessions.userId, userId)))
      .returning({ handle: sessions.handle });
    if (ended === undefined) throw notFound("session");
    notifyUser(tx, userId);
    record(tx, { type: "user.sessionRevoked", subject: { type: "user", id: userId } });
  });
}
