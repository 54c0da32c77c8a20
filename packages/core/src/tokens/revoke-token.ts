import { apiTokens } from "@sewa/db/schema";
import { and, eq, isNull, type SQL } from "drizzle-orm";
import { authorize } from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import type { CoreContext, Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { getToken, lockMember, ofOrganization } from "./queries.ts";
import type { TokenView } from "./token.ts";

/**
 * Ends a token at once; open connections hear of it by the event. One that has ended stays as it is. Throws NOT_FOUND, also for one of
 * somebody else unless the actor is an admin, and FORBIDDEN.
 */
export async function revokeToken(ctx: CoreContext, tokenId: string): Promise<TokenView> {
  authorize(ctx.actor, "token.write");
  return ctx.transaction(async (tx) => {
    const member = await lockMember(tx);
    authorize(userActor(member.userId, member.role), "token.write");
    const token = await getToken(tx, tokenId, member);
    if (token.status === "active") await revokeTokens(tx, eq(apiTokens.id, tokenId));
    return getToken(tx, tokenId, member);
  });
}

/** Tokens end with the membership: whoever becomes a member again makes new ones. Under the lock of the organization. */
export async function revokeTokensOf(tx: Tx, userId: string): Promise<void> {
  await revokeTokens(tx, eq(apiTokens.userId, userId));
}

async function revokeTokens(tx: Tx, condition: SQL): Promise<void> {
  const revoked = await tx.sql
    .update(apiTokens)
    .set({ revokedAt: tx.ctx.clock.now() })
    .where(and(ofOrganization(tx), isNull(apiTokens.revokedAt), condition))
    .returning({ id: apiTokens.id, name: apiTokens.name, userId: apiTokens.userId, hint: apiTokens.hint });
  for (const { id: tokenId, name, userId, hint } of revoked) {
    const subject = { type: "token", id: tokenId };
    record(tx, { type: "token.revoked", subject, data: { tokenId, userId }, after: { name, hint, userId } });
  }
}
