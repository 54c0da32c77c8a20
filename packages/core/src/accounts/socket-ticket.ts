import { sessions } from "@sewa/db/schema";
import { and, eq, gt } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { mintToken, spendTicket } from "./account-tokens.ts";
import { takeAttempts } from "./attempts.ts";
import { loggedOut } from "./logged-out.ts";
import { type Authenticated, readSession } from "./sessions.ts";
import { hashToken } from "./token.ts";

export interface SocketTicket {
  readonly ticket: string;
  readonly expiresAt: Date;
}

/**
 * Opens one WebSocket on another host, where the cookie does not go, within a minute. Ends with its session. Throws
 * UNAUTHORIZED when the user has no such session, RATE_LIMITED.
 */
export async function createSocketTicket(
  ctx: CoreContext,
  input: { readonly sessionId: string; readonly userId: string },
): Promise<SocketTicket> {
  await takeAttempts(ctx, [{ limit: "ticket.session", of: [input.sessionId] }]);
  return ctx.transaction(async (tx) => {
    const [session] = await tx.sql
      .select({ id: sessions.id })
      .from(sessions)
      .where(
        and(
          eq(sessions.id, input.sessionId),
          eq(sessions.userId, input.userId),
          gt(sessions.expiresAt, tx.ctx.clock.now()),
        ),
      )
      .for("key share");
    if (session === undefined) throw loggedOut();
    const { token, expiresAt } = await mintToken(tx, { kind: "socket_ticket", ...input });
    return { ticket: token, expiresAt };
  });
}

/** Like `authenticate`, once. Null for a ticket that was used, has expired or whose session has ended. */
export async function redeemSocketTicket(
  ctx: CoreContext,
  ticket: string,
  organizationId: string | null = null,
): Promise<Authenticated | null> {
  const tokenId = hashToken("socket_ticket", ticket);
  if (tokenId === null) return null;
  const sessionId = await spendTicket(ctx, tokenId);
  return sessionId === null ? null : readSession(ctx, sessionId, organizationId);
}
