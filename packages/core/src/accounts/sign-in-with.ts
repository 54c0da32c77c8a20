import { users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import type { Locale } from "../notifications/index.ts";
import { mintToken } from "./account-tokens.ts";
import { type Account, getAccountForShare } from "./account.ts";
import { networkOf, takeAttempts } from "./attempts.ts";
import { createAccount } from "./create-account.ts";
import {
  findByIdentity,
  type KnownIdentity,
  labelOf,
  markIdentityUsed,
  type ProvenIdentity,
  storeIdentity,
} from "./identities.ts";
import { checkName, normalizeEmail } from "./input.ts";
import type { LoggedIn } from "./log-in.ts";
import { bindHome } from "./memberships.ts";
import { findEnabledFactor } from "./second-factors.ts";
import { accountSuspended, type Device, startSession } from "./sessions.ts";
import { attemptInvalid } from "./sign-in-attempts.ts";

export interface SignInWith extends Device {
  readonly identity: ProvenIdentity;
  /** Language of the mails of who is new. */
  readonly locale: Locale;
}

/** `code_required`: the user has switched the second factor on, and `completeSignIn` takes the ticket with a code. */
export type SignedIn =
  | ({ readonly kind: "signed_in" } & LoggedIn)
  | { readonly kind: "code_required"; readonly ticket: string; readonly expiresAt: Date };

/** Of a session whose user was not seen to prove anything: what cannot be undone asks them to. */
const never = new Date(0);

/**
 * Lets in who has this identity. Who is new gets an account, as by `register`, with the address that the provider calls verified as proven. An account that
 * is there with the same address is nobody's for that: its user logs in and links the identity. Throws ACCOUNT_SUSPENDED, EMAIL_NOT_VERIFIED, ACCOUNT_EXISTS,
 * RATE_LIMITED.
 */
export async function signInWith(ctx: CoreContext, input: SignInWith): Promise<SignedIn> {
  const known = await findByIdentity(ctx, input.identity);
  if (known !== null) return admit(ctx, known, input);
  const created = await signUp(ctx, input);
  if (created !== null) return created;
  // Of two who come at once with one identity, the second finds what the first has made.
  const made = await findByIdentity(ctx, input.identity);
  if (made !== null) return admit(ctx, made, input);
  throw new DomainError(
    "ACCOUNT_EXISTS",
    "There is an account with this address. Log in to it, and link this way to sign in from the settings.",
  );
}

async function admit(ctx: CoreContext, known: KnownIdentity, input: SignInWith): Promise<SignedIn> {
  const bound = await bindHome(ctx, known.user.id);
  return bound.transaction(async (tx) => {
    const { user, suspendedAt }: Account = await getAccountForShare(tx, known.user.id);
    if (!(await markIdentityUsed(tx, user.id, known.identityId))) throw attemptInvalid();
    if (suspendedAt !== null) throw accountSuspended();
    if (!user.isEmailVerified) throw emailNotVerified();
    if ((await findEnabledFactor(tx, user.id)) !== null) {
      const { token, expiresAt } = await mintToken(tx, { kind: "sign_in_step", userId: user.id });
      return { kind: "code_required", ticket: token, expiresAt };
    }
    return signedIn(tx, user, input, input.identity.provedAt ?? never);
  });
}

async function signUp(ctx: CoreContext, input: SignInWith): Promise<SignedIn | null> {
  const { identity, locale } = input;
  if (identity.email === null || !identity.isEmailVerified) throw emailNotVerified();
  const email = normalizeEmail(identity.email);
  const name = nameFrom(identity.name, email);
  await takeAttempts(ctx, [
    { limit: "register.ip", of: [networkOf(input.ip)] },
    { limit: "register.account", of: [email] },
  ]);
  let outcome: SignedIn | null = null;
  const account = { email, name, locale, organizationName: name, passwordHash: null };
  try {
    await createAccount(ctx, account, async (tx, { userId }) => {
      await tx.sql.update(users).set({ emailVerifiedAt: tx.ctx.clock.now() }).where(eq(users.id, userId));
      await storeIdentity(tx, userId, identity);
      const subject = { type: "user", id: userId };
      record(tx, { type: "user.registered", subject });
      record(tx, { type: "user.identityLinked", subject, data: { provider: labelOf(ctx, identity) } });
      const { user } = await getAccountForShare(tx, userId);
      outcome = await signedIn(tx, user, input, tx.ctx.clock.now());
    });
  } catch (error) {
    // Linked in this moment, to whichever account: `signInWith` looks again.
    if (error instanceof DomainError && error.code === "IDENTITY_TAKEN") return null;
    throw error;
  }
  return outcome;
}

async function signedIn(
  tx: Tx,
  user: Account["user"],
  device: Device,
  provedAt: Date,
): Promise<SignedIn & { readonly kind: "signed_in" }> {
  const now = tx.ctx.clock.now();
  const started = await startSession(tx, user, device, provedAt < now ? provedAt : now);
  record(tx, { type: "user.loggedIn", subject: { type: "user", id: user.id } });
  return { kind: "signed_in", ...started, user };
}

/** What the provider says, if it can be one; else what stands before the @. */
function nameFrom(said: string | null, email: string): string {
  try {
    return checkName(said ?? "", "name");
  } catch {
    return email.slice(0, email.lastIndexOf("@"));
  }
}

function emailNotVerified(): DomainError {
  return new DomainError(
    "EMAIL_NOT_VERIFIED",
    "The provider does not vouch for your e-mail address. Register with it instead.",
  );
}
