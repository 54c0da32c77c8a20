import type { Database, Transaction } from "@sewa/db";
import { members, sessions, users } from "@sewa/db/schema";
import { eq, lte, sql } from "drizzle-orm";
import type { Adapter, DatabaseSession, Lucia } from "lucia";
import { addMs, type Clock, dayMs, systemClock } from "../clock.ts";
import type { Locale } from "../notifications/index.ts";
import type { MemberRole } from "../roles.ts";
import { isSpokenFor } from "./memberships.ts";

/** A session that nobody uses ends after this; use in the second half of it begins it anew. */
export const sessionIdleDays = 14;
/** A session ends after this whatever happens. */
export const sessionMaxDays = 90;

export interface SessionAttributes {
  readonly absoluteExpiresAt: Date;
}

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
 * Lucia's storage over our tables. Session ids are hashes of tokens already when they come here. Two things are added
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
  const toDatabaseSession = ({
    expiresAt,
    absoluteExpiresAt,
    id,
    userId,
  }: typeof sessions.$inferSelect): DatabaseSession => ({
    id,
    userId,
    expiresAt: new Date(expiresAt.getTime() + aheadMs),
    attributes: { absoluteExpiresAt },
  });
  return {
    async getSessionAndUser(sessionId) {
      const [row] = await database
        .select({ session: sessions, user: userColumns })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .leftJoin(members, isSpokenFor(organizationId))
        .where(eq(sessions.id, sessionId));
      if (row === undefined) return [null, null];
      return [toDatabaseSession(row.session), { id: row.session.userId, attributes: row.user }];
    },
    async getUserSessions(userId) {
      return (await database.select().from(sessions).where(eq(sessions.userId, userId))).map(toDatabaseSession);
    },
    async setSession({ id, userId, attributes: { absoluteExpiresAt } }) {
      // From the end that our clock gave, so that what is stored is to the millisecond what the caller is told.
      const expiresAt = addMs(absoluteExpiresAt, (sessionIdleDays - sessionMaxDays) * dayMs);
      await database.insert(sessions).values({ id, userId, expiresAt, absoluteExpiresAt });
    },
    async updateSessionExpiration(sessionId, expiresAt) {
      const wanted = fromMachine(expiresAt).toISOString();
      await database
        .update(sessions)
        .set({ expiresAt: sql`least(${wanted}::timestamptz, ${sessions.absoluteExpiresAt})` })
        .where(eq(sessions.id, sessionId));
    },
    async deleteSession(sessionId) {
      await database.delete(sessions).where(eq(sessions.id, sessionId));
    },
    async deleteUserSessions(userId) {
      await database.delete(sessions).where(eq(sessions.userId, userId));
    },
    async deleteExpiredSessions() {
      await database.delete(sessions).where(lte(sessions.expiresAt, clock.now()));
    },
  };
}

/** By how much the machine's time is ahead of the clock's: nothing in production. */
export function machineAheadMs(clock: Clock): number {
  return clock === systemClock ? 0 : systemClock.now().getTime() - clock.now().getTime();
}

/** Picked by name: whatever is listed here goes through Lucia, and the password's hash must not. */
const userColumns = {
  email: users.email,
  name: users.name,
  locale: users.locale,
  isOperator: users.isOperator,
  emailVerifiedAt: users.emailVerifiedAt,
  suspendedAt: users.suspendedAt,
  organizationId: members.organizationId,
  role: members.role,
};
