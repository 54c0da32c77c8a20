import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { queueAccountMail } from "./account-mails.ts";
import { type Account, findAccountByEmail, getAccountForShare, type UserView } from "./account.ts";
import { type Attempt, networkOf, returnAttempts, takeAttempts } from "./attempts.ts";
import { normalizeEmail } from "./input.ts";
import { verifyPassword } from "./password.ts";
import { bindHome } from "./memberships.ts";
import { accountSuspended, startSession, type StartedSession } from "./sessions.ts";

export interface LogIn {
  readonly email: string;
  readonly password: string;
  /** Network address of the client, for the limits. */
  readonly ip?: string | null | undefined;
}

export interface LoggedIn extends StartedSession {
  readonly user: UserView;
}

/**
 * Starts a session. Throws RATE_LIMITED, INVALID_CREDENTIALS (with the same work for an unknown address as for a wrong
 * password) and, only to whoever knows the password, ACCOUNT_SUSPENDED and EMAIL_NOT_VERIFIED (a new link is mailed,
 * at most every five minutes).
 */
export async function logIn(ctx: CoreContext, input: LogIn): Promise<LoggedIn> {
  const email = normalizeEmail(input.email);
  const network = networkOf(input.ip);
  // The narrowest first: what it refuses does not count against the account, so one stranger cannot lock its owner out.
  const attempts: readonly Attempt[] = [
    { limit: "login.pair", of: [email, network] },
    { limit: "login.ip", of: [network] },
    { limit: "login.account", of: [email] },
  ];
  await takeAttempts(ctx, attempts);
  const account = await findAccountByEmail(ctx, email);
  const matches = await verifyPassword(account?.passwordHash ?? null, input.password);
  if (account === null || !matches) throw invalidCredentials();
  await returnAttempts(ctx, attempts);
  if (account.suspendedAt !== null) throw accountSuspended();
  const bound = await bindHome(ctx, account.user.id);
  if (!account.user.isEmailVerified) {
    await bound.transaction((tx) => queueAccountMail(tx, "verify_email", account.user.id));
    throw new DomainError("EMAIL_NOT_VERIFIED", "Confirm your e-mail address first. We have sent you a link.");
  }
  return openSession(bound, account);
}

async function openSession(ctx: CoreContext, verified: Account): Promise<LoggedIn> {
  return ctx.transaction(async (tx) => {
    // A reset that ran since the password was compared has ended all sessions; one of the old password must not follow.
    const current = await getAccountForShare(tx, verified.user.id);
    if (current.passwordHash !== verified.passwordHash) throw invalidCredentials();
    const started = await startSession(tx, current.user.id);
    record(tx, { type: "user.loggedIn", subject: { type: "user", id: current.user.id } });
    return { ...started, user: current.user };
  });
}

function invalidCredentials(): DomainError {
  return new DomainError("INVALID_CREDENTIALS", "E-mail or password is wrong.");
}
