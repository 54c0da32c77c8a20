import { secondFactors } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { queueSecurityNotice } from "./account-mails.ts";
import { lockAccount } from "./account.ts";
import { type Attempt, returnAttempts, takeAttempts } from "./attempts.ts";
import { bindHome } from "./memberships.ts";
import { counterOfFactor, findSecondFactor, replaceRecoveryCodes, wrongCode } from "./second-factors.ts";
import { endOtherSessions, renewSession, type SessionHolder, type StartedSession } from "./sessions.ts";

export interface EnabledTotp extends StartedSession {
  /** Given out this one time; each logs in once without the app. */
  readonly recoveryCodes: readonly string[];
}

/**
 * Log-in asks for a code from now on. The user shows one first, so that nobody locks themselves out; it is used up by that. Other
 * sessions were opened with less and end; this one goes on under a new token. Throws CONFLICT where nothing was begun,
 * INVALID_CREDENTIALS, RATE_LIMITED, UNAUTHORIZED.
 */
export async function enableTotp(
  ctx: CoreContext,
  { code, ...holder }: SessionHolder & { readonly code: string },
): Promise<EnabledTotp> {
  authorize(ctx.actor, "account.write");
  const { userId } = holder;
  const attempts: readonly Attempt[] = [{ limit: "login.code", of: [userId] }];
  await takeAttempts(ctx, attempts);
  const bound = await bindHome(ctx, userId);
  const enabled = await bound.transaction(async (tx) => {
    await lockAccount(tx, userId);
    const factor = await findSecondFactor(tx, userId);
    if (factor === null || factor.enabledAt !== null)
      throw new DomainError("CONFLICT", "There is no second factor that waits to be switched on.");
    const lastCounter = counterOfFactor(tx, factor, code);
    if (lastCounter === null) throw wrongCode();
    await tx.sql
      .update(secondFactors)
      .set({ enabledAt: tx.ctx.clock.now(), lastCounter })
      .where(eq(secondFactors.userId, userId));
    const recoveryCodes = await replaceRecoveryCodes(tx, userId);
    await endOtherSessions(tx, holder);
    const renewed = await renewSession(tx, holder);
    await queueSecurityNotice(tx, userId, { kind: "second_factor_changed", data: { isOn: true } });
    notifyUser(tx, userId);
    record(tx, { type: "user.totpEnabled", subject: { type: "user", id: userId } });
    return { ...renewed, recoveryCodes };
  });
  await returnAttempts(ctx, attempts);
  return enabled;
}
