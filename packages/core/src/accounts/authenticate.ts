import type { CoreContext } from "../context.ts";
import { type Authenticated, readSession } from "./sessions.ts";
import { hashToken } from "./token.ts";

/**
 * Who a session token speaks for. Null for anything that is no token of a living session, at no cost when it has not even
 * the shape of one. `organizationId`: for whom they want to act; their home when null. Throws ACCOUNT_SUSPENDED, and
 * NOT_FOUND when they are no member there.
 */
export async function authenticate(
  ctx: CoreContext,
  token: string,
  organizationId: string | null = null,
): Promise<Authenticated | null> {
  const sessionId = hashToken("session", token);
  return sessionId === null ? null : readSession(ctx, sessionId, organizationId);
}
