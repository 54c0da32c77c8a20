import { invitations, invitationTokens } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { hashToken, newToken } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { assert } from "../errors.ts";
import { deriveInvitationStatus } from "./invitation.ts";

/**
 * The link of an invitation, made at the moment of sending. Those of earlier tries stay good: a mail that was sent twice is the
 * same mail to its reader. Null when the invitation is over, so that it is not sent at all.
 */
export async function mintInvitationLink(ctx: CoreContext, invitationId: string): Promise<string | null> {
  const token = newToken("invitation");
  const id = hashToken("invitation", token);
  assert(id !== null, "a new token has the shape of its kind");
  return ctx.transaction(async (tx) => {
    const [invitation] = await tx.sql.select().from(invitations).where(eq(invitations.id, invitationId));
    if (invitation === undefined || deriveInvitationStatus(invitation, ctx.clock.now()) !== "pending") return null;
    const { organizationId } = invitation;
    await tx.sql.insert(invitationTokens).values({ id, organizationId, invitationId });
    return `${ctx.config.portalUrl}/invitations?token=${token}`;
  });
}
