import { instanceLeases, instances } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { enqueue } from "../jobs/index.ts";
import { failOverdueOperations } from "./fail-operations.ts";

const batch = 5_000;

/**
 * Jobs are hints: this finds from the tables what is not as wanted and nobody works on, and adds its job again. In health
 * it corrects nothing that had no job.
 */
export async function sweepInstances(ctx: CoreContext): Promise<{ readonly failed: number; readonly readded: number }> {
  const failed = await failOverdueOperations(ctx);
  const rows = await ctx.db.drizzle
    .select({ id: instances.id })
    .from(instances)
    .leftJoin(instanceLeases, eq(instanceLeases.instanceId, instances.id))
    .where(sql`not ${instances.isSettled} and coalesce(${instanceLeases.leasedUntil} < now(), true)`)
    .limit(batch);
  for (const { id } of rows) {
    await enqueue({ sql: ctx.db.drizzle as never }, "instance:reconcile", { instanceId: id });
  }
  return { failed, readded: rows.length };
}
