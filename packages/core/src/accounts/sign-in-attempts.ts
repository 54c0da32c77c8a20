import { signInAttempts, spentAttempt } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext, SignInProvider } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import type { SessionHolder } from "./sessions.ts";
import { door } from "./sign-in.ts";
import { hashToken, newToken } from "./token.ts";

/** What somebody goes to a provider for: to come in, to be able to from now on, or to prove again to be themselves. */
export type SignInPurpose = "sign_in" | "link" | "confirm";

/** A way to a provider that somebody is on. */
export interface SignInAttempt {
  readonly purpose: SignInPurpose;
  /** Who acts on their own account; null for who wants to come in. */
  readonly holder: SessionHolder | null;
  /** Path of the portal. */
  readonly returnTo: string;
  readonly begunAt: Date;
}

/** From the first step to the last, all passwords and codes at the provider included. */
const attemptMs = 10 * minuteMs;

export function newSignInBrowser(): string {
  return newToken("sign_in_browser");
}

/** Stores hashes alone and gives the secret out: the state of one that a browser has begun, a ticket where `browser` is null. */
export async function storeAttempt(
  ctx: CoreContext,
  attempt: Omit<SignInAttempt, "begunAt"> & { readonly provider: string; readonly browser: string | null },
): Promise<{ readonly secret: string; readonly expiresAt: Date }> {
  const { purpose, provider, browser, holder, returnTo } = attempt;
  const secret = newToken("sign_in_attempt");
  const id = hashToken("sign_in_attempt", secret);
  assert(id !== null, "a new token has the shape of its kind");
  const createdAt = ctx.clock.now();
  const expiresAt = addMs(createdAt, attemptMs);
  await ctx.db.drizzle.insert(signInAttempts).values({
    id,
    purpose,
    provider,
    browserHash: browser === null ? null : hashToken("sign_in_browser", browser),
    userId: holder?.userId ?? null,
    sessionId: holder?.sessionId ?? null,
    returnTo,
    expiresAt,
    createdAt,
  });
  return { secret, expiresAt };
}

/**
 * Uses it up: of two who come with the same one, one gets it. Throws TOKEN_INVALID, with the same words for one that was used, has ended,
 * was begun by another browser or for another provider.
 */
export async function spendAttempt(
  ctx: CoreContext,
  attempt: { readonly secret: string; readonly browser: string | null; readonly provider: string },
): Promise<SignInAttempt> {
  const id = hashToken("sign_in_attempt", attempt.secret);
  const browser = attempt.browser === null ? null : hashToken("sign_in_browser", attempt.browser);
  if (id === null || (attempt.browser !== null && browser === null)) throw attemptInvalid();
  const now = ctx.clock.now().toISOString();
  const [row] = await ctx.db.drizzle
    .select({
      purpose: spentAttempt.purpose,
      userId: spentAttempt.userId,
      sessionId: spentAttempt.sessionId,
      returnTo: spentAttempt.returnTo,
      begunAt: spentAttempt.createdAt,
    })
    .from(door(sql`spend_sign_in_attempt(${id}, ${browser}, ${attempt.provider}, ${now})`, "spent_attempt"));
  if (row === undefined) throw attemptInvalid();
  const { userId, sessionId, ...rest } = row;
  return { ...rest, holder: userId === null || sessionId === null ? null : { userId, sessionId } };
}

/** Throws NOT_FOUND for one that is not configured. */
export function requireSignInProvider({ signInProviders = [] }: CoreContext, name: string): SignInProvider {
  const provider = signInProviders.find((known) => known.name === name);
  if (provider === undefined) throw notFound("provider");
  return provider;
}

export function attemptInvalid(): DomainError {
  return new DomainError("TOKEN_INVALID", "This sign-in has ended or was begun in another browser. Begin again.");
}
