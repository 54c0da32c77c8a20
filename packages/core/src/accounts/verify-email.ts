import { users } from "@sewa/db/schema";
import { and, eq, isNull } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { getTokenHolder, useToken } from "./account-tokens.ts";
import { bindHome } from "./memberships.ts";

/**
 * Proves the address by the link of the mail: once, within 24 hours. It does not log in, because the link may be opened
 * on another device than the one that registered. Throws TOKEN_INVALID.
 */
export async function verifyEmail(
  ctx: CoreContext,
  input: { readonly token: string },
): Promise<{ readonly status: "verified" }> {
  const { tokenId, userId } = await getTokenHolder(ctx, "verify_email", input.token);
  const bound = await bindHome(ctx, userId);
  return bound.transaction(async (tx) => {
    await useToken(tx, "verify_email", tokenId);
    const verified = await tx.sql
      .update(users)
      .set({ emailVerifiedAt: tx.ctx.clock.now() })
      .where(and(eq(users.id, userId), isNull(users.emailVerifiedAt)))
      .returning({ id: users.id });
    if (verified.length > 0) record(tx, { type: "user.emailVerified", subject: { type: "user", id: userId } });
    return { status: "verified" };
  });
}
