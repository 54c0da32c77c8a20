import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { queueAccountMail } from "./account-mails.ts";
import { type Account, findAccountByEmail, getAccountForShare, type UserView } from "./account.ts";
import { type Attempt, countAttempt, networkOf, returnAttempts, takeAttempts } from "./attempts.ts";
import { totpRequired } from "./confirm-session.ts";
import { normalizeEmail } from "./input.ts";
import { bindHome } from "./memberships.ts";
import { verifyPassword } from "./password.ts";
import { findEnabledFactor, spendCode, wrongCode } from "./second-factors.ts";
import { accountSuspended, type Device, startSession, type StartedSession } from "./sessions.ts";

/** `ip` counts against the limits; it and the user agent stand in the list of sessions. */
export interface LogIn extends Device {
  readonly email: string;
  readonly password: string;
  /** Of the authenticator app, or a recovery code; asked for where the second factor is on. */
  readonly code?: string | undefined;
}

export interface LoggedIn extends StartedSession {
  readonly user: UserView;
}

/**
 * Starts a session. Throws RATE_LIMITED, INVALID_CREDENTIALS (with the same work for an unknown address as for a wrong
 * password) and, only to whoever knows the password, ACCOUNT_SUSPENDED, EMAIL_NOT_VERIFIED (a new link is mailed, at most
 * every five minutes) and TOTP_REQUIRED. A wrong code counts like a wrong password, and against a limit of its own. Where strangers
 * have failed too often at the account, the password alone is not even looked at: a code beside it, or the link of a new password, lets its owner in.
 */
export async function logIn(ctx: CoreContext, input: LogIn): Promise<LoggedIn> {
  const email = normalizeEmail(input.email);
  const network = networkOf(input.ip);
  const ofNetwork: readonly Attempt[] = [
    { limit: "login.pair", of: [email, network] },
    { limit: "login.ip", of: [network] },
  ];
  const ofAccount: Attempt = { limit: "login.account", of: [email] };
  // The narrowest first: what it refuses does not count against the account.
  await takeAttempts(ctx, ofNetwork);
  const besieged = await countAttempt(ctx, ofAccount);
  if (besieged !== null && input.code === undefined) throw oneMoreProof(besieged);
  const attempts = [...ofNetwork, ofAccount];
  const account = await findAccountByEmail(ctx, email);
  const matches = await verifyPassword(account?.passwordHash ?? null, input.password);
  if (account === null || !matches) throw invalidCredentials();
  if (input.code === undefined) {
    await returnAttempts(ctx, attempts);
    return admit(ctx, account, input, false);
  }
  const ofCode: Attempt = { limit: "login.code", of: [account.user.id] };
  const tooMany = await countAttempt(ctx, ofCode);
  if (tooMany !== null) throw besieged === null ? tooMany : invalidCredentials();
  const started = await admit(ctx, account, input, besieged !== null);
  await returnAttempts(ctx, [...attempts, ofCode]);
  return started;
}

/** Who knows the password, which says nothing yet while the account is besieged. */
async function admit(ctx: CoreContext, account: Account, input: LogIn, isBesieged: boolean): Promise<LoggedIn> {
  if (isBesieged) return openSession(await bindHome(ctx, account.user.id), account, input, true);
  if (account.suspendedAt !== null) throw accountSuspended();
  const bound = await bindHome(ctx, account.user.id);
  if (!account.user.isEmailVerified) {
    await bound.transaction((tx) => queueAccountMail(tx, "verify_email", account.user.id));
    throw new DomainError("EMAIL_NOT_VERIFIED", "Confirm your e-mail address first. We have sent you a link.");
  }
  return openSession(bound, account, input, false);
}

async function openSession(ctx: CoreContext, verified: Account, input: LogIn, isBesieged: boolean): Promise<LoggedIn> {
  return ctx.transaction(async (tx) => {
    // A reset that ran since the password was compared has ended all sessions; one of the old password must not follow.
    const current = await getAccountForShare(tx, verified.user.id);
    if (current.passwordHash !== verified.passwordHash) throw invalidCredentials();
    const factor = await findEnabledFactor(tx, current.user.id);
    if (factor === null && isBesieged) throw invalidCredentials();
    if (factor !== null) {
      if (input.code === undefined) throw totpRequired();
      // Who guesses at a besieged account is not told that they have guessed the password.
      if (!(await spendCode(tx, factor, input.code))) throw isBesieged ? invalidCredentials() : wrongCode();
    }
    // Perhaps meanwhile: the sessions that there were have ended, and no other may follow.
    if (current.suspendedAt !== null) throw accountSuspended();
    const started = await startSession(tx, current.user, input);
    record(tx, { type: "user.loggedIn", subject: { type: "user", id: current.user.id } });
    return { ...started, user: current.user };
  });
}

function oneMoreProof({ retryAfterSeconds }: DomainError): DomainError {
  const message =
    "Too many failed log-ins to this account. Add a code of your second factor, or ask for a new password by mail.";
  return new DomainError("RATE_LIMITED", message, retryAfterSeconds === null ? {} : { retryAfterSeconds });
}

function invalidCredentials(): DomainError {
  return new DomainError("INVALID_CREDENTIALS", "E-mail or password is wrong.");
}
