import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { getAccountForShare } from "./account.ts";
import { totpRequired } from "./confirm-session.ts";
import { markConfirmed } from "./confirmation.ts";
import { type ProvenIdentity, readIdentities } from "./identities.ts";
import { bindHome } from "./memberships.ts";
import { findEnabledFactor } from "./second-factors.ts";
import { lockSession, type SessionHolder } from "./sessions.ts";

export interface ConfirmWith extends SessionHolder {
  readonly identity: ProvenIdentity;
  /** When they set out: what they proved before does not count. */
  readonly begunAt: Date;
}

/** Clocks of ours and of providers differ a little. */
const toleranceMs = 30_000;

/**
 * The user proves again to be themselves, at a provider, for `requireConfirmation`. Answers until when that counts. Throws TOTP_REQUIRED where the second
 * factor is on, WRONG_ACCOUNT for an identity that is not theirs, INVALID_CREDENTIALS for one that was proved before, UNAUTHORIZED.
 */
export async function confirmWith(ctx: CoreContext, input: ConfirmWith): Promise<Date> {
  const { userId, sessionId, identity, begunAt } = input;
  const bound = await bindHome(ctx, userId);
  authorize(bound.actor, "account.write");
  return bound.transaction(async (tx) => {
    const { user } = await getAccountForShare(tx, userId);
    await lockSession(tx, input);
    if ((await findEnabledFactor(tx, user.id)) !== null) throw totpRequired();
    const own = await readIdentities(tx, userId);
    if (!own.some(({ issuer, subject }) => issuer === identity.issuer && subject === identity.subject))
      throw new DomainError("WRONG_ACCOUNT", "That account at the provider is not linked to yours.");
    if (identity.provedAt === null || identity.provedAt.getTime() < begunAt.getTime() - toleranceMs)
      throw new DomainError("INVALID_CREDENTIALS", "The provider did not ask you to prove it anew.");
    record(tx, { type: "user.confirmed", subject: { type: "user", id: userId } });
    return markConfirmed(tx, sessionId);
  });
}
