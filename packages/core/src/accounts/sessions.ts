import { accountTokens, sessions } from "@sewa/db/schema";
import { and, eq, ne, sql } from "drizzle-orm";
import { Lucia, TimeSpan } from "lucia";
import { type Actor, userActor } from "../actor.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import type { MemberRole } from "../roles.ts";
import { toUserView, type UserView } from "./account.ts";
import { loggedOut } from "./logged-out.ts";
import { ensureHome, type Membership } from "./memberships.ts";
import { isPasswordExpired } from "./password-age.ts";
import {
  createSessionAdapter,
  firstEnd,
  machineAheadMs,
  operatorSessionHours,
  type SessionAttributes,
  sessionIdleDays,
  sessionMaxDays,
  type SessionUser,
  usersOwn,
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
  /** An operator's has ended: they can do nothing but choose a new one. */
  readonly hasExpiredPassword: boolean;
  /** The end was moved just now: a cookie has to be sent again. */
  readonly fresh: boolean;
  /** Of an operator who acts as the user; null for the user. */
  readonly impersonation: Impersonation | null;
}

/** It speaks for one organization only. */
export interface Impersonation {
  readonly operatorId: string;
  readonly reason: string;
}

export interface StartedSession {
  /** Given out this one time. */
  readonly token: string;
  readonly session: { readonly id: string; readonly expiresAt: Date };
}

/** Where a log-in comes from; null where nobody says it. */
export interface Device {
  readonly ip?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
}

/** The session that somebody acts with, on their own account. */
export interface SessionHolder {
  readonly userId: string;
  readonly sessionId: string;
}

const maxUserAgentCharacters = 200;
/** More often than this it is not written that a session is in use. */
const seenStepMs = 5 * minuteMs;

/** In the transaction that says who logged in. `confirmedAt`: when they proved to be themselves, where that was not just now. */
export async function startSession(
  tx: Tx,
  user: UserView,
  device: Device,
  confirmedAt: Date = tx.ctx.clock.now(),
): Promise<StartedSession> {
  const { token, sessionId } = newSessionToken();
  const now = tx.ctx.clock.now();
  const attributes: SessionAttributes = {
    absoluteExpiresAt: addMs(now, user.isOperator ? operatorSessionHours * hourMs : sessionMaxDays * dayMs),
    handle: tx.ctx.ids.next(),
    clientAddress: device.ip ?? null,
    userAgent: device.userAgent?.replace(/[^\x20-\x7e]/g, "").slice(0, maxUserAgentCharacters) ?? null,
    lastSeenAt: now,
    confirmedAt,
    ...usersOwn,
  };
  await createLucia(tx.ctx, tx.sql).createSession(user.id, attributes, { sessionId });
  return { token, session: { id: sessionId, expiresAt: firstEnd(attributes) } };
}

/**
 * Gives a living session a new token, when what it may do has changed: who has got hold of the old one has nothing any more.
 * Its tickets end, its end stays. Throws UNAUTHORIZED when it has ended meanwhile.
 */
export async function renewSession(tx: Tx, holder: SessionHolder): Promise<StartedSession> {
  const { token, sessionId } = newSessionToken();
  await lockSession(tx, holder);
  await tx.sql.delete(accountTokens).where(eq(accountTokens.sessionId, holder.sessionId));
  const [renewed] = await tx.sql
    .update(sessions)
    .set({ id: sessionId, confirmedAt: tx.ctx.clock.now() })
    .where(eq(sessions.id, holder.sessionId))
    .returning({ expiresAt: sessions.expiresAt });
  assert(renewed !== undefined, "a session that is locked stays");
  return { token, session: { id: sessionId, expiresAt: renewed.expiresAt } };
}

/** Throws UNAUTHORIZED for one that has ended. */
export async function lockSession(tx: Tx, { userId, sessionId }: SessionHolder): Promise<void> {
  const [session] = await tx.sql
    .select({ expiresAt: sessions.expiresAt })
    .from(sessions)
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId)))
    .for("update");
  if (session === undefined || session.expiresAt <= tx.ctx.clock.now()) throw loggedOut();
}

export function newSessionToken(): { readonly token: string; readonly sessionId: string } {
  const token = newToken("session");
  const sessionId = hashToken("session", token);
  assert(sessionId !== null, "a new token has the shape of its kind");
  return { token, sessionId };
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
  const impersonation = impersonationOf(session);
  const isElsewhere = session.spokenForId !== null && ![null, session.spokenForId].includes(organizationId);
  const mayGoHome = organizationId === null && impersonation === null;
  const membership = membershipOf(user) ?? (mayGoHome ? await ensureHome(ctx, user.id) : null);
  if (membership === null || isElsewhere) throw notFound("organization");
  await markSeen(ctx, sessionId, session.lastSeenAt);
  const expiresAt = addMs(session.expiresAt, -machineAheadMs(ctx.clock));
  const isOperator = user.isOperator && impersonation === null;
  return {
    user: toUserView(user),
    ...membership,
    sessionId,
    expiresAt: expiresAt < session.absoluteExpiresAt ? expiresAt : session.absoluteExpiresAt,
    actor: userActor(user.id, membership.role, null, impersonation),
    isOperator,
    hasExpiredPassword: isOperator && (await isPasswordExpired(ctx, user.id)),
    fresh: session.fresh,
    impersonation,
  };
}

function impersonationOf({ operatorId, impersonationReason: reason }: SessionAttributes): Impersonation | null {
  return operatorId === null || reason === null ? null : { operatorId, reason };
}

function membershipOf({ organizationId, role }: SessionUser): Membership | null {
  return organizationId === null || role === null ? null : { organizationId, role };
}

export async function endSessions(tx: Tx, userId: string): Promise<void> {
  await createLucia(tx.ctx, tx.sql).invalidateUserSessions(userId);
}

/** All but the one that the user acts with. Answers how many. */
export async function endOtherSessions(tx: Tx, { userId, sessionId }: SessionHolder): Promise<number> {
  const ended = await tx.sql.delete(sessions).where(and(eq(sessions.userId, userId), ne(sessions.id, sessionId)));
  return ended.count;
}

async function markSeen(ctx: CoreContext, sessionId: string, lastSeenAt: Date): Promise<void> {
  const now = ctx.clock.now();
  const due = addMs(now, -seenStepMs);
  if (lastSeenAt > due) return;
  await ctx.db.drizzle.execute(sql`select mark_session_seen(${sessionId}, ${now.toISOString()}, ${due.toISOString()})`);
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
