import { members, sessions } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { userActor } from "../actor.ts";
import { createLucia } from "./sessions.ts";
import { hashToken } from "./token.ts";

/** Ends the session of this token. Nothing happens when it has ended already. */
export async function logOut(ctx: CoreContext, input: { readonly token: string }): Promise<void> {
  const sessionId = hashToken("session", input.token);
  if (sessionId === null) return;
  const [holder] = await ctx.db.drizzle
    .select({ userId: sessions.userId, organizationId: members.organizationId })
    .from(sessions)
    .innerJoin(members, eq(members.userId, sessions.userId))
    .where(eq(sessions.id, sessionId));
  if (holder === undefined) return;
  const bound = ctx.as(userActor(holder.userId)).forOrganization(holder.organizationId);
  await bound.transaction(async (tx) => {
    await createLucia(tx.ctx, tx.sql).invalidateSession(sessionId);
    record(tx, { type: "user.loggedOut", subject: { type: "user", id: holder.userId } });
  });
}
