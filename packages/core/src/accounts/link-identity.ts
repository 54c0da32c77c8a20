import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { queueSecurityNotice } from "./account-mails.ts";
import { lockAccount } from "./account.ts";
import { labelOf, type ProvenIdentity, readIdentities, storeIdentity } from "./identities.ts";
import { bindHome } from "./memberships.ts";
import { lockSession, type SessionHolder } from "./sessions.ts";

const maxIdentities = 10;

/**
 * From now on the user signs in by this identity too; their mail box hears of it. Nothing happens where it is theirs already. Throws IDENTITY_TAKEN,
 * QUOTA_EXCEEDED, UNAUTHORIZED.
 */
export async function linkIdentity(
  ctx: CoreContext,
  { identity, ...holder }: SessionHolder & { readonly identity: ProvenIdentity },
): Promise<void> {
  const { userId } = holder;
  const bound = await bindHome(ctx, userId);
  authorize(bound.actor, "account.write");
  await bound.transaction(async (tx) => {
    await lockAccount(tx, userId);
    await lockSession(tx, holder);
    const own = await readIdentities(tx, userId);
    if (own.some(({ issuer, subject }) => issuer === identity.issuer && subject === identity.subject)) return;
    if (own.length >= maxIdentities)
      throw new DomainError("QUOTA_EXCEEDED", `More than ${maxIdentities} accounts at providers cannot be linked.`);
    await storeIdentity(tx, userId, identity);
    const providerLabel = labelOf(ctx, identity);
    record(tx, {
      type: "user.identityLinked",
      subject: { type: "user", id: userId },
      data: { provider: providerLabel },
    });
    await queueSecurityNotice(tx, userId, { kind: "sign_in_added", data: { providerLabel } });
    notifyUser(tx, userId);
  });
}
