import { users } from "@sewa/db/schema";
import { and, asc, eq, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import { addMs, dayMs, hourMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { queueNotification } from "../notifications/index.ts";
import { ensureHome } from "./memberships.ts";
import { passwordEnd } from "./password-age.ts";

/** Operators are told in the last quarter of their password's time, and no earlier than this. */
const longestNoticeMs = 7 * dayMs;

const setAt = sql<Date>`coalesce(${users.passwordSetAt}, ${users.createdAt})`.mapWith(users.createdAt);
const isSetBy = (moment: Date): SQL => sql`${setAt} <= ${moment.toISOString()}`;

/**
 * Tells operators by mail whose password ends soon, of each password once: the mail is made due with what says so. Answers how
 * many were told now. Nothing where no password ends.
 */
export async function remindOperators(ctx: CoreContext): Promise<number> {
  const { operatorPasswordMaxAgeHours: hours } = ctx.config;
  if (hours === null) return 0;
  const now = ctx.clock.now();
  const noticeMs = Math.min((hours * hourMs) / 4, longestNoticeMs);
  const from = addMs(now, -hours * hourMs);
  const until = addMs(from, noticeMs);
  const due = await ctx.db.drizzle
    .select({ id: users.id })
    .from(users)
    .where(
      and(
        eq(users.isOperator, true),
        isNull(users.suspendedAt),
        isNotNull(users.passwordHash),
        sql`${setAt} > ${from.toISOString()}`,
        isSetBy(until),
      ),
    )
    .orderBy(asc(users.id));
  let told = 0;
  for (const { id } of due) {
    const { organizationId } = await ensureHome(ctx, id);
    if (await ctx.forOrganization(organizationId).transaction((tx) => tell(tx, id, until))) told += 1;
  }
  return told;
}

/** False when they were told already, or have a new password meanwhile. */
async function tell(tx: Tx, userId: string, until: Date): Promise<boolean> {
  const [user] = await tx.sql
    .select({ setAt })
    .from(users)
    .where(and(eq(users.id, userId), isSetBy(until)))
    .for("share");
  const end = user === undefined ? null : passwordEnd(tx.ctx.config, user.setAt);
  if (user === undefined || end === null) return false;
  return queueNotification(tx, {
    kind: "password_expiring",
    userId,
    dedupeKey: `password_expiring:${userId}:${user.setAt.toISOString()}`,
    data: { expiresAt: end.toISOString() },
  });
}
