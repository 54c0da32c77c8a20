import type { CoreContext } from "../context.ts";
import { networkOf, takeAttempts } from "./attempts.ts";
import { portalAddressOf } from "./return-to.ts";
import {
  attemptInvalid,
  requireSignInProvider,
  type SignInPurpose,
  spendAttempt,
  storeAttempt,
} from "./sign-in-attempts.ts";
import { hashToken } from "./token.ts";

export interface BeginSignIn {
  readonly provider: string;
  /** What the browser holds, and only this one: `newSignInBrowser`. */
  readonly browser: string;
  /** Path of the portal to come back to; its front page for anything else. */
  readonly returnTo: string;
  readonly ip: string | null;
  /** Of `prepareSignIn`, where it is about an account that is there. */
  readonly ticket: string | null;
  /** Token of the session that the browser has. */
  readonly sessionToken: string | null;
}

export interface BegunSignIn {
  readonly purpose: SignInPurpose;
  /** Goes to the provider and back. */
  readonly state: string;
  readonly expiresAt: Date;
}

/**
 * Somebody sets out for a provider. A ticket opens in the browser of the session that it was made with, and in no other: else who sends
 * one to somebody would get their identity linked to an account of his own. Throws NOT_FOUND, TOKEN_INVALID, RATE_LIMITED.
 */
export async function beginSignIn(ctx: CoreContext, input: BeginSignIn): Promise<BegunSignIn> {
  const { provider, browser, ticket, sessionToken } = input;
  requireSignInProvider(ctx, provider);
  await takeAttempts(ctx, [{ limit: "signIn.ip", of: [networkOf(input.ip)] }]);
  const returnTo = portalAddressOf(ctx.config.portalUrl, input.returnTo) === null ? "/" : input.returnTo;
  if (ticket === null) return begin(ctx, { purpose: "sign_in", provider, browser, holder: null, returnTo });
  const { begunAt: _, ...prepared } = await spendAttempt(ctx, { secret: ticket, browser: null, provider });
  const sessionId = sessionToken === null ? null : hashToken("session", sessionToken);
  if (prepared.holder === null || prepared.holder.sessionId !== sessionId) throw attemptInvalid();
  return begin(ctx, { ...prepared, provider, browser });
}

async function begin(ctx: CoreContext, attempt: Parameters<typeof storeAttempt>[1]): Promise<BegunSignIn> {
  const { secret, expiresAt } = await storeAttempt(ctx, attempt);
  return { purpose: attempt.purpose, state: secret, expiresAt };
}
