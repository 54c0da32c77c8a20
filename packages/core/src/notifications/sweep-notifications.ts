import { notifications } from "@sewa/db/schema";
import { and, asc, eq, notExists, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { enqueue } from "../jobs/index.ts";

/** A mail that waits for longer than this and has no job has lost it. */
const patienceSeconds = 120;
const batchSize = 500;

/**
 * Gives mails that lost their job a new one, oldest first, at most 500 at a time; returns how many. A job that waits for
 * its next try is left alone: adding it again would undo the back-off and use up all tries in a short outage of the mail
 * server. Needs the worker's role, which may read the job table.
 */
export async function sweepNotifications(ctx: CoreContext): Promise<number> {
  return ctx.transaction(async (tx) => {
    const lost = await tx.sql
      .select({ id: notifications.id })
      .from(notifications)
      .where(
        and(
          eq(notifications.status, "queued"),
          // Real time of the database, which also wrote the column.
          sql`${notifications.createdAt} < now() - make_interval(secs => ${patienceSeconds})`,
          notExists(
            sql`(select from graphile_worker._private_jobs j
              where j.key = 'mail:send:' || ${notifications.id} and j.attempts < j.max_attempts)`,
          ),
        ),
      )
      .orderBy(asc(notifications.createdAt))
      .limit(batchSize);
    for (const { id } of lost) await enqueue(tx, "mail:send", { notificationId: id });
    return lost.length;
  });
}
