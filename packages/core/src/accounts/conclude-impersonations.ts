import { impersonations, sessions } from "@sewa/db/schema";
import { and, asc, eq, gt, isNull, notExists } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { queueNotification } from "../notifications/index.ts";
import { getOrganization } from "./organizations.ts";

type ImpersonationRow = typeof impersonations.$inferSelect;

const batchSize = 100;

/**
 * Tells the user, once, that an operator no longer acts as them, however that ended: by its time, by a log-out of either, by a
 * suspension, or because the user ended it. For the sweep. Answers how many were found to be over.
 */
export async function concludeImpersonations(ctx: CoreContext): Promise<number> {
  const alive = ctx.db.drizzle
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.handle, impersonations.id), gt(sessions.expiresAt, ctx.clock.now())));
  const over = await ctx.db.drizzle
    .select()
    .from(impersonations)
    .where(and(isNull(impersonations.endedAt), notExists(alive)))
    .orderBy(asc(impersonations.id))
    .limit(batchSize);
  for (const row of over) await ctx.forOrganization(row.organizationId).transaction((tx) => conclude(tx, row));
  return over.length;
}

async function conclude(tx: Tx, { id, userId, reason, endsAt }: ImpersonationRow): Promise<void> {
  const now = tx.ctx.clock.now();
  const endedAt = endsAt < now ? endsAt : now;
  const first = await tx.sql
    .update(impersonations)
    .set({ endedAt })
    .where(and(eq(impersonations.id, id), isNull(impersonations.endedAt)))
    .returning({ id: impersonations.id });
  if (first.length === 0) return;
  const subject = { type: "user", id: userId };
  record(tx, {
    type: "user.impersonationEnded",
    subject,
    data: { userId, reason, endedAt: endedAt.toISOString() },
    reason,
  });
  const after = { organizationId: organizationOf(tx), endedAt };
  writeOperatorAudit(tx, { action: "user.impersonationEnded", subject, after, reason });
  const { name: organizationName } = await getOrganization(tx);
  await queueNotification(tx, {
    kind: "impersonation_ended",
    userId,
    dedupeKey: `impersonation_ended:${id}`,
    data: { organizationName, reason },
  });
}
