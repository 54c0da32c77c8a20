import { users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { notifyUser, record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { queueSecurityNotice } from "./account-mails.ts";
import { lockAccount } from "./account.ts";
import { type Attempt, returnAttempts, takeAttempts } from "./attempts.ts";
import { checkPassword } from "./input.ts";
import { bindHome } from "./memberships.ts";
import { checkOwnPassword, wrongPassword } from "./own-password.ts";
import { samePassword } from "./password-age.ts";
import { hashPassword } from "./password.ts";
import { dropTokens } from "./account-tokens.ts";
import { endOtherSessions, renewSession, type SessionHolder, type StartedSession } from "./sessions.ts";

export interface ChangePassword extends SessionHolder {
  readonly currentPassword: string;
  readonly newPassword: string;
}

/**
 * A new password, by who knows the old one. Ends all other sessions and the links of mails that would set another one; this session goes on under a new
 * token. Throws INVALID_CREDENTIALS, INVALID_INPUT, RATE_LIMITED, UNAUTHORIZED.
 */
export async function changePassword(
  ctx: CoreContext,
  { currentPassword, newPassword, ...holder }: ChangePassword,
): Promise<StartedSession> {
  authorize(ctx.actor, "account.write");
  const { userId, sessionId } = holder;
  const attempts: readonly Attempt[] = [{ limit: "confirm.session", of: [sessionId] }];
  await takeAttempts(ctx, attempts);
  const bound = await bindHome(ctx, userId);
  const known = await checkOwnPassword(bound, userId, currentPassword, "currentPassword");
  await returnAttempts(ctx, attempts);
  const password = checkPassword(newPassword, known.user.email, "newPassword");
  if (password === currentPassword.normalize("NFC")) throw samePassword("newPassword");
  const passwordHash = await hashPassword(password);
  return bound.transaction(async (tx) => {
    const current = await lockAccount(tx, userId);
    if (current.passwordHash !== known.passwordHash) throw wrongPassword("currentPassword");
    await tx.sql.update(users).set({ passwordHash, passwordSetAt: tx.ctx.clock.now() }).where(eq(users.id, userId));
    await dropTokens(tx, "reset_password", userId);
    await dropTokens(tx, "sign_in_step", userId);
    await endOtherSessions(tx, holder);
    const renewed = await renewSession(tx, holder);
    await queueSecurityNotice(tx, userId, { kind: "password_changed", data: {} });
    notifyUser(tx, userId);
    record(tx, { type: "user.passwordChanged", subject: { type: "user", id: userId } });
    return renewed;
  });
}
