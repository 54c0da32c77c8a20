import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { type Account, getAccountForShare } from "./account.ts";
import { type Attempt, returnAttempts, takeAttempts } from "./attempts.ts";
import { markConfirmed } from "./confirmation.ts";
import { bindHome } from "./memberships.ts";
import { checkOwnPassword, wrongPassword } from "./own-password.ts";
import { findEnabledFactor, spendCode, wrongCode } from "./second-factors.ts";
import { lockSession, type SessionHolder } from "./sessions.ts";

export interface ConfirmSession extends SessionHolder {
  readonly password?: string | undefined;
  /** Of the app or a recovery code; asked for instead of the password where the second factor is on. */
  readonly code?: string | undefined;
}

/**
 * The user proves again to be themselves, for `requireConfirmation`. Answers until when that counts. Throws TOTP_REQUIRED where the
 * password does not do, INVALID_CREDENTIALS, INVALID_INPUT, RATE_LIMITED, UNAUTHORIZED.
 */
export async function confirmSession(ctx: CoreContext, input: ConfirmSession): Promise<Date> {
  authorize(ctx.actor, "account.write");
  const { userId, sessionId, password, code } = input;
  const attempts: readonly Attempt[] = [
    { limit: "confirm.session", of: [sessionId] },
    ...(code === undefined ? [] : [{ limit: "login.code", of: [userId] } as const]),
  ];
  await takeAttempts(ctx, attempts);
  const bound = await bindHome(ctx, userId);
  const known = password === undefined ? null : await checkOwnPassword(bound, userId, password, "password");
  const until = await bound.transaction(async (tx) => {
    const current = await getAccountForShare(tx, userId);
    await lockSession(tx, input);
    await prove(tx, { known, current, code });
    record(tx, { type: "user.confirmed", subject: { type: "user", id: userId } });
    return markConfirmed(tx, sessionId);
  });
  await returnAttempts(ctx, attempts);
  return until;
}

async function prove(
  tx: Tx,
  proof: { readonly known: Account | null; readonly current: Account; readonly code: string | undefined },
): Promise<void> {
  const { known, current, code } = proof;
  const factor = await findEnabledFactor(tx, current.user.id);
  if (factor === null) {
    const message = "Enter your password.";
    if (known === null) throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "password", message }] });
    if (known.passwordHash !== current.passwordHash) throw wrongPassword("password");
    return;
  }
  if (code === undefined) throw totpRequired();
  if (!(await spendCode(tx, factor, code))) throw wrongCode();
}

export function totpRequired(): DomainError {
  return new DomainError("TOTP_REQUIRED", "Enter a code of your authenticator app, or a recovery code.");
}
