import { signIn } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { door } from "./sign-in.ts";
import type { CoreContext } from "../context.ts";
import { notifyUser, record } from "../events/index.ts";
import { notForTokens } from "../permissions.ts";
import { isApiToken } from "./api-token.ts";
import { bindHome } from "./memberships.ts";
import { createLucia } from "./sessions.ts";
import { hashToken } from "./token.ts";

/** Ends the session of this token. Nothing happens when it has ended already. Throws TOKEN_SCOPE for an API token: it has no session, and goes on. */
export async function logOut(ctx: CoreContext, input: { readonly token: string }): Promise<void> {
  if (isApiToken(input.token)) throw notForTokens();
  const sessionId = hashToken("session", input.token);
  if (sessionId === null) return;
  const [holder] = await ctx.db.drizzle
    .select({ userId: signIn.userId, operatorId: signIn.operatorId })
    .from(door(sql`sign_in_by_session(${sessionId}, null)`));
  if (holder === undefined) return;
  const bound = await bindHome(ctx, holder.userId);
  await bound.transaction(async (tx) => {
    await createLucia(tx.ctx, tx.sql).invalidateSession(sessionId);
    notifyUser(tx, holder.userId);
    // The user did nothing: that an operator no longer acts as them is told by the sweep.
    if (holder.operatorId !== null) return;
    record(tx, { type: "user.loggedOut", subject: { type: "user", id: holder.userId } });
  });
}
