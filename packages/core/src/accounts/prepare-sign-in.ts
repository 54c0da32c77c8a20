import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { authorize } from "../permissions.ts";
import { takeAttempts } from "./attempts.ts";
import { checkReturnTo } from "./return-to.ts";
import type { SessionHolder } from "./sessions.ts";
import { requireSignInProvider, type SignInPurpose, storeAttempt } from "./sign-in-attempts.ts";

export interface PrepareSignIn extends SessionHolder {
  readonly purpose: Exclude<SignInPurpose, "sign_in">;
  readonly provider: string;
  /** Path of the portal to come back to. */
  readonly returnTo: string;
}

export interface PreparedSignIn {
  /** Good for one way to the provider, from the browser of the session. */
  readonly ticket: string;
  readonly expiresAt: Date;
}

/**
 * Lets who is logged in set out for a provider to link an account there, or to prove again to be themselves. Throws NOT_FOUND, INVALID_INPUT,
 * RATE_LIMITED, and CONFLICT where the provider does not say when somebody last proved to be themselves.
 */
export async function prepareSignIn(ctx: CoreContext, input: PrepareSignIn): Promise<PreparedSignIn> {
  authorize(ctx.actor, "account.write");
  const { userId, sessionId, purpose, provider } = input;
  const { canConfirm } = requireSignInProvider(ctx, provider);
  const returnTo = checkReturnTo(ctx.config.portalUrl, input.returnTo);
  if (purpose === "confirm" && !canConfirm)
    throw new DomainError("CONFLICT", "This provider does not prove it anew. Set a password by mail instead.");
  await takeAttempts(ctx, [{ limit: "ticket.session", of: [sessionId] }]);
  const holder = { userId, sessionId };
  const { secret, expiresAt } = await storeAttempt(ctx, { purpose, provider, browser: null, holder, returnTo });
  return { ticket: secret, expiresAt };
}
