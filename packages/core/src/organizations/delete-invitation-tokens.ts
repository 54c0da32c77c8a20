import { invitations, invitationTokens } from "@sewa/db/schema";
import { and, eq, exists, lte } from "drizzle-orm";
import type { CoreContext } from "../context.ts";

/** For the clean-up: links of invitations whose time is over open nothing, answered or not. Returns how many. */
export async function deleteInvitationTokens(ctx: CoreContext): Promise<number> {
  const { drizzle } = ctx.db;
  const deleted = await drizzle.delete(invitationTokens).where(
    exists(
      drizzle
        .select({ id: invitations.id })
        .from(invitations)
        .where(
          and(
            eq(invitations.organizationId, invitationTokens.organizationId),
            eq(invitations.id, invitationTokens.invitationId),
            lte(invitations.expiresAt, ctx.clock.now()),
          ),
        ),
    ),
  );
  return deleted.count;
}
