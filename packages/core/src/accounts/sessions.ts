import { Lucia, TimeSpan } from "lucia";
import { type Actor, userActor } from "../actor.ts";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import type { MemberRole } from "../roles.ts";
import { toUserView, type UserView } from "./account.ts";
import { ensureHome, type Membership } from "./memberships.ts";
import {
  createSessionAdapter,
  machineAheadMs,
  type SessionAttributes,
  sessionIdleDays,
  sessionMaxDays,
  type SessionUser,
} from "./session-adapter.ts";
import { hashToken, newToken } from "./token.ts";

/** Who is there, found out from a session token or a socket ticket. */
export interface Authenticated {
  readonly user: UserView;
  readonly organizationId: string;
  readonly role: MemberRole;
  /** The hash of the token: names the session and opens nothing. */
  readonly sessionId: string;
  readonly expiresAt: Date;
  /** The user as a member of the organization; the api makes an operator's actor where `isOperator` allows it. */
  readonly actor: Actor;
  readonly isOperator: boolean;
  /** The end was moved just now: a cookie has to be sent again. */
  readonly fresh: boolean;
}

export interface StartedSession {
  /** Given out this one time. */
  readonly token: string;
  readonly session: { readonly id: string; readonly expiresAt: Date };
}

/** In the transaction that says who logged in. */
export async function startSession(tx: Tx, userId: string): Promise<StartedSession> {
  const token = newToken("session");
  const sessionId = hashToken("session", token);
  assert(sessionId !== null, "a new token has the shape of its kind");
  const now = tx.ctx.clock.now();
  const absoluteExpiresAt = addMs(now, sessionMaxDays * dayMs);
  await createLucia(tx.ctx, tx.sql).createSession(userId, { absoluteExpiresAt }, { sessionId });
  return { token, session: { id: sessionId, expiresAt: addMs(now, sessionIdleDays * dayMs) } };
}

/**
 * Looks again whether a session lives, for a socket that stays open. The id must come from an `Authenticated`, never from
 * a client: it is no secret. `organizationId`: for whom the user wants to act; their home when null. Null when the session
 * has ended. Throws ACCOUNT_SUSPENDED, and NOT_FOUND when the user is no member there.
 */
export async function readSession(
  ctx: CoreContext,
  sessionId: string,
  organizationId: string | null,
): Promise<Authenticated | null> {
  const { session, user } = await createLucia(ctx, ctx.db.drizzle, organizationId).validateSession(sessionId);
  if (session === null) return null;
  if (user.suspendedAt !== null) throw accountSuspended();
  const membership = membershipOf(user) ?? (organizationId === null ? await ensureHome(ctx, user.id) : null);
  if (membership === null) throw notFound("organization");
  const expiresAt = addMs(session.expiresAt, -machineAheadMs(ctx.clock));
  return {
    user: toUserView(user),
    ...membership,
    sessionId,
    expiresAt: expiresAt < session.absoluteExpiresAt ? expiresAt : session.absoluteExpiresAt,
    actor: userActor(user.id, membership.role),
    isOperator: user.isOperator,
    fresh: session.fresh,
  };
}

function membershipOf({ organizationId, role }: SessionUser): Membership | null {
  return organizationId === null || role === null ? null : { organizationId, role };
}

export async function endSessions(tx: Tx, userId: string): Promise<void> {
  await createLucia(tx.ctx, tx.sql).invalidateUserSessions(userId);
}

export function createLucia(
  ctx: CoreContext,
  database: Parameters<typeof createSessionAdapter>[0],
  organizationId: string | null = null,
): Lucia<SessionAttributes, SessionUser> {
  return new Lucia(createSessionAdapter(database, ctx.clock, organizationId), {
    sessionExpiresIn: new TimeSpan(sessionIdleDays, "d"),
    getSessionAttributes: (attributes) => attributes,
    getUserAttributes: (attributes) => attributes,
  });
}

export function accountSuspended(): DomainError {
  return new DomainError("ACCOUNT_SUSPENDED", "This account is suspended.");
}
