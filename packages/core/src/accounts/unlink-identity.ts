import { identities } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { queueSecurityNotice } from "./account-mails.ts";
import { dropTokens } from "./account-tokens.ts";
import { lockAccount } from "./account.ts";
import { labelOf, providerOf, readIdentities } from "./identities.ts";
import { bindHome } from "./memberships.ts";
import type { SessionHolder } from "./sessions.ts";

/**
 * Nobody signs in by it any more; who is half-way in by any identity begins again. Throws NOT_FOUND, and LAST_WAY_IN for who has no password and
 * no other identity at a provider that is configured.
 */
export async function unlinkIdentity(
  ctx: CoreContext,
  { userId, identityId }: SessionHolder & { readonly identityId: string },
): Promise<void> {
  authorize(ctx.actor, "account.write");
  const bound = await bindHome(ctx, userId);
  await bound.transaction(async (tx) => {
    const { passwordHash } = await lockAccount(tx, userId);
    const own = await readIdentities(tx, userId);
    const identity = own.find(({ id }) => id === identityId);
    if (identity === undefined) throw notFound("identity");
    const isOtherWay = own.some((other) => other !== identity && providerOf(ctx, other) !== null);
    if (passwordHash === null && !isOtherWay)
      throw new DomainError("LAST_WAY_IN", "It is your only way in. Set a password by mail first.");
    await tx.sql.delete(identities).where(eq(identities.id, identityId));
    await dropTokens(tx, "sign_in_step", userId);
    const providerLabel = labelOf(ctx, identity);
    record(tx, {
      type: "user.identityUnlinked",
      subject: { type: "user", id: userId },
      data: { provider: providerLabel },
    });
    await queueSecurityNotice(tx, userId, { kind: "sign_in_removed", data: { providerLabel } });
    notifyUser(tx, userId);
  });
}
