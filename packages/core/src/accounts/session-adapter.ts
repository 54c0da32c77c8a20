import type { Database, Transaction } from "@sewa/db";
import { sessions, signIn } from "@sewa/db/schema";
import { eq, lte, sql } from "drizzle-orm";
import { door } from "./sign-in.ts";
import type { Adapter, DatabaseSession, Lucia } from "lucia";
import { addMs, type Clock, dayMs, systemClock } from "../clock.ts";
import type { Locale } from "../notifications/index.ts";
import type { MemberRole } from "../roles.ts";

/** A session that nobody uses ends after this; use in the second half of it begins it anew. */
export const sessionIdleDays = 14;
/** A session ends after this whatever happens. */
export const sessionMaxDays = 30;
/** The same for operators, who work in the house by the day. */
export const operatorSessionHours = 12;

type StoredSession = Omit<typeof sessions.$inferSelect, "createdAt">;

export interface SessionAttributes {
  readonly absoluteExpiresAt: Date;
  readonly handle: string;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  readonly lastSeenAt: Date;
  readonly confirmedAt: Date;
  /** All four of an operator who acts as the user, none of the user's own. */
  readonly operatorId: string | null;
  readonly operatorSessionId: string | null;
  readonly spokenForId: string | null;
  readonly impersonationReason: string | null;
}

/** Of a session that its user has begun. */
export const usersOwn = {
  operatorId: null,
  operatorSessionId: null,
  spokenForId: null,
  impersonationReason: null,
} as const satisfies Partial<SessionAttributes>;

export interface SessionUser {
  readonly email: string;
  readonly name: string;
  readonly locale: Locale;
  readonly isOperator: boolean;
  readonly emailVerifiedAt: Date | null;
  readonly suspendedAt: Date | null;
  /** Null where the user is no member of the organization that was named, or of none at all. */
  readonly organizationId: string | null;
  readonly role: MemberRole | null;
}

declare module "lucia" {
  interface Register {
    Lucia: Lucia<SessionAttributes, SessionUser>;
    DatabaseSessionAttributes: SessionAttributes;
    DatabaseUserAttributes: SessionUser;
  }
}

/**
 * Lucia's storage over our tables. Who knows a session's id comes through the doors of sign-in, for whichever organization; all
 * else needs a transaction that is bound to the user's. Session ids are hashes of tokens already when they come here. Two things are added
 * to what Lucia does: no renewal reaches beyond the absolute end, and time is our clock's although Lucia asks the
 * machine for it, so its moments are moved by the difference on their way in and out. A session is read together with the
 * membership in the organization that is named, or in the user's home: one round trip says who asks, for whom, as what.
 */
export function createSessionAdapter(
  database: Database["drizzle"] | Transaction,
  clock: Clock,
  organizationId: string | null = null,
): Adapter {
  const aheadMs = machineAheadMs(clock);
  const fromMachine = (date: Date): Date => new Date(date.getTime() - aheadMs);
  // Lucia would move the end of a session that has reached its absolute end with every request: it is told of a later one.
  const toldEnd = ({ expiresAt, absoluteExpiresAt }: StoredSession): Date => {
    const now = clock.now();
    const isFinal = expiresAt >= absoluteExpiresAt && expiresAt > now;
    return addMs(isFinal ? addMs(now, sessionIdleDays * dayMs) : expiresAt, aheadMs);
  };
  const toDatabaseSession = (row: StoredSession): DatabaseSession => {
    const { id, userId, expiresAt: _, ...attributes } = row;
    return { id, userId, expiresAt: toldEnd(row), attributes };
  };
  return {
    async getSessionAndUser(sessionId) {
      const [row] = await database
        .select({ session: sessionColumns, user: userColumns })
        .from(door(sql`sign_in_by_session(${sessionId}, ${organizationId})`));
      if (row === undefined) return [null, null];
      return [toDatabaseSession(row.session), { id: row.session.userId, attributes: row.user }];
    },
    async getUserSessions(userId) {
      const rows = await database.select().from(sessions).where(eq(sessions.userId, userId));
      return rows.map(toDatabaseSession);
    },
    async setSession({ id, userId, attributes }) {
      await database.insert(sessions).values({ id, userId, expiresAt: firstEnd(attributes), ...attributes });
    },
    async updateSessionExpiration(sessionId, expiresAt) {
      const wanted = fromMachine(expiresAt).toISOString();
      await database.execute(sql`select prolong_session(${sessionId}, ${wanted})`);
    },
    async deleteSession(sessionId) {
      await database.execute(sql`select end_session(${sessionId})`);
    },
    async deleteUserSessions(userId) {
      await database.delete(sessions).where(eq(sessions.userId, userId));
    },
    async deleteExpiredSessions() {
      await database.delete(sessions).where(lte(sessions.expiresAt, clock.now()));
    },
  };
}

/** Where a session ends that nobody uses after its log-in; by our clock's time, to the millisecond. */
export function firstEnd({ lastSeenAt, absoluteExpiresAt }: SessionAttributes): Date {
  const idleEnd = addMs(lastSeenAt, sessionIdleDays * dayMs);
  return idleEnd < absoluteExpiresAt ? idleEnd : absoluteExpiresAt;
}

/** By how much the machine's time is ahead of the clock's: nothing in production. */
export function machineAheadMs(clock: Clock): number {
  return clock === systemClock ? 0 : systemClock.now().getTime() - clock.now().getTime();
}

const sessionColumns = {
  id: signIn.sessionId,
  userId: signIn.userId,
  expiresAt: signIn.expiresAt,
  absoluteExpiresAt: signIn.absoluteExpiresAt,
  handle: signIn.handle,
  clientAddress: signIn.clientAddress,
  userAgent: signIn.userAgent,
  lastSeenAt: signIn.lastSeenAt,
  confirmedAt: signIn.confirmedAt,
  operatorId: signIn.operatorId,
  operatorSessionId: signIn.operatorSessionId,
  spokenForId: signIn.spokenForId,
  impersonationReason: signIn.impersonationReason,
};

/** Picked by name: whatever is listed here goes through Lucia. */
const userColumns = {
  email: signIn.email,
  name: signIn.name,
  locale: signIn.locale,
  isOperator: signIn.isOperator,
  emailVerifiedAt: signIn.emailVerifiedAt,
  suspendedAt: signIn.suspendedAt,
  organizationId: signIn.organizationId,
  role: signIn.role,
};
