import { notifications } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";

/** Mails that have yet to be sent, and how long the oldest of them waits, on the clock of the database, which dated it. */
export async function countQueuedMails(
  ctx: CoreContext,
): Promise<{ readonly queued: number; readonly oldestSeconds: number }> {
  const age = sql`extract(epoch from now() - min(${notifications.createdAt}))`;
  const [row] = await ctx.db.drizzle
    .select({
      queued: sql<number>`count(*)::int`,
      oldestSeconds: sql<number>`greatest(0, coalesce(${age}, 0))::float8`,
    })
    .from(notifications)
    .where(eq(notifications.status, "queued"));
  return row ?? { queued: 0, oldestSeconds: 0 };
}
