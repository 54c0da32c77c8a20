import type { CoreContext } from "../context.ts";
import { requireSignInProvider, type SignInAttempt, spendAttempt, attemptInvalid } from "./sign-in-attempts.ts";
import { hashToken } from "./token.ts";

export interface TakeSignIn {
  readonly provider: string;
  readonly state: string;
  readonly browser: string;
  readonly sessionToken: string | null;
}

/**
 * Somebody comes back from a provider: their way ends here, before anything that they bring is looked at. Throws TOKEN_INVALID for who did not
 * set out, has come back already, took longer than ten minutes, comes with another browser, or has changed the session on the way.
 */
export async function takeSignIn(ctx: CoreContext, input: TakeSignIn): Promise<SignInAttempt> {
  const { provider, state, browser, sessionToken } = input;
  requireSignInProvider(ctx, provider);
  const attempt = await spendAttempt(ctx, { secret: state, browser, provider });
  const sessionId = sessionToken === null ? null : hashToken("session", sessionToken);
  if (attempt.holder !== null && attempt.holder.sessionId !== sessionId) throw attemptInvalid();
  return attempt;
}
