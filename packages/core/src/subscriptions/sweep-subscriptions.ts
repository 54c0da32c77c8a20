import { subscriptions } from "@sewa/db/schema";
import { and, asc, eq, lte, sql } from "drizzle-orm";
import { isParked } from "../accounts/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { organizationOf } from "../context.ts";
import { enqueueMissing } from "../jobs/index.ts";

const batch = 5_000;

const isNotParked = sql`not exists (select 1 from organizations o where o.id = s.organization_id and o.parked_at is not null)`;

/**
 * Finds in the tables what time has made due, and what a lost job has left lying: a failed provisioning that was not taken
 * back, a removed instance whose subscription was not closed. Finds only; each is decided in its own transaction.
 * Organizations on a test clock are left out: their time is advanced by hand. So are those that are parked, for which neither
 * is done. Each of the three is found by an index of its own: joined by an "or" they would be looked for among all. Answers how many had no job yet.
 */
export async function sweepSubscriptions(ctx: CoreContext): Promise<{ readonly due: number }> {
  const now = ctx.clock.now().toISOString();
  const due = sql`
    select s.id from subscriptions s
    where s.next_due_at <= ${now}::timestamptz and ${isNotParked}
      and not exists (select 1 from test_clocks t where t.organization_id = s.organization_id)
    union
    select s.id from instances i join subscriptions s on s.id = i.subscription_id
    where i.provisioning_failed_at is not null and i.removed_at is null and s.status not in ('pending', 'cancelled') and ${isNotParked}
    union
    select s.id from subscriptions s join instances i on i.organization_id = s.organization_id and i.subscription_id = s.id
    where s.status = 'cancelled' and s.purged_at is null and i.removed_at is not null`;
  return { due: await enqueueMissing(ctx, "subscription:reconcile", due) };
}

/** Subscriptions of the organization that time has made due by `at`, the earliest first. While it is parked there are none. */
export async function listDueSubscriptions(
  tx: Tx,
  at: Date,
): Promise<readonly { readonly id: string; readonly dueAt: Date }[]> {
  if (await isParked(tx)) return [];
  const rows = await tx.sql
    .select({ id: subscriptions.id, dueAt: subscriptions.nextDueAt })
    .from(subscriptions)
    .where(and(eq(subscriptions.organizationId, organizationOf(tx)), lte(subscriptions.nextDueAt, at)))
    .orderBy(asc(subscriptions.nextDueAt))
    .limit(batch);
  return rows.flatMap(({ id, dueAt }) => (dueAt === null ? [] : [{ id, dueAt }]));
}
