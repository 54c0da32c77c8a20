import type { CoreContext } from "../context.ts";
import { record } from "../events/index.ts";
import { getTokenHolder, useToken } from "./account-tokens.ts";
import { getAccountForShare } from "./account.ts";
import { type Attempt, returnAttempts, takeAttempts } from "./attempts.ts";
import type { LoggedIn } from "./log-in.ts";
import { bindHome } from "./memberships.ts";
import { findEnabledFactor, spendCode, wrongCode } from "./second-factors.ts";
import { accountSuspended, type Device, startSession } from "./sessions.ts";
import { attemptInvalid } from "./sign-in-attempts.ts";

export interface CompleteSignIn extends Device {
  /** Of `signInWith`; stays good for ten minutes and until a code was right. */
  readonly ticket: string;
  /** Of the authenticator app, or a recovery code. */
  readonly code: string;
}

/** The second step of who signs in by a provider. Throws TOKEN_INVALID, INVALID_CREDENTIALS, ACCOUNT_SUSPENDED, RATE_LIMITED. */
export async function completeSignIn(ctx: CoreContext, input: CompleteSignIn): Promise<LoggedIn> {
  const { tokenId, userId } = await getTokenHolder(ctx, "sign_in_step", input.ticket);
  const attempts: readonly Attempt[] = [{ limit: "login.code", of: [userId] }];
  await takeAttempts(ctx, attempts);
  const bound = await bindHome(ctx, userId);
  const started = await bound.transaction(async (tx) => {
    const { user, suspendedAt } = await getAccountForShare(tx, userId);
    await useToken(tx, "sign_in_step", tokenId);
    const factor = await findEnabledFactor(tx, userId);
    if (factor === null) throw attemptInvalid();
    if (!(await spendCode(tx, factor, input.code))) throw wrongCode();
    if (suspendedAt !== null) throw accountSuspended();
    const session = await startSession(tx, user, input);
    record(tx, { type: "user.loggedIn", subject: { type: "user", id: userId } });
    return { ...session, user };
  });
  await returnAttempts(ctx, attempts);
  return started;
}
