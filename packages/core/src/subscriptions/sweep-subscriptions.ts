import { instances, subscriptions, testClocks } from "@sewa/db/schema";
import { and, asc, eq, isNotNull, isNull, lte, ne, notExists, or, sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { organizationOf } from "../context.ts";
import { enqueue } from "../jobs/index.ts";

const batch = 5_000;

/**
 * Finds in the tables what time has made due, and what a lost job has left lying: a failed provisioning that was not taken
 * back, a removed instance whose subscription was not closed. Finds only; each is decided in its own transaction.
 * Organizations on a test clock are left out: their time is advanced by hand.
 */
export async function sweepSubscriptions(ctx: CoreContext): Promise<{ readonly due: number }> {
  const now = ctx.clock.now();
  const onTestClock = ctx.db.drizzle
    .select({ one: sql`1` })
    .from(testClocks)
    .where(eq(testClocks.organizationId, subscriptions.organizationId));
  const left = or(
    and(isNotNull(instances.provisioningFailedAt), ne(subscriptions.status, "cancelled")),
    and(eq(subscriptions.status, "cancelled"), isNull(subscriptions.purgedAt), isNotNull(instances.removedAt)),
  );
  const rows = await ctx.db.drizzle
    .select({ id: subscriptions.id })
    .from(subscriptions)
    .innerJoin(instances, eq(instances.subscriptionId, subscriptions.id))
    .where(or(left, and(lte(subscriptions.nextDueAt, now), notExists(onTestClock))))
    .limit(batch);
  for (const { id } of rows) {
    await enqueue({ sql: ctx.db.drizzle as never }, "subscription:reconcile", { subscriptionId: id });
  }
  return { due: rows.length };
}

/** Subscriptions of the organization that time has made due by `at`, the earliest first. */
export async function listDueSubscriptions(
  tx: Tx,
  at: Date,
): Promise<readonly { readonly id: string; readonly dueAt: Date }[]> {
  const rows = await tx.sql
    .select({ id: subscriptions.id, dueAt: subscriptions.nextDueAt })
    .from(subscriptions)
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), lte(subscriptions.nextDueAt, at)))
    .orderBy(asc(subscriptions.nextDueAt))
    .limit(batch);
  return rows.flatMap(({ id, dueAt }) => (dueAt === null ? [] : [{ id, dueAt }]));
}
