import { sql } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";

/** How long a plan is kept that nobody approved. What was approved is part of the app's history and stays. */
const planDays = 30;
const batchSize = 10_000;
/** In one run; what is left over then is found by the next one. */
const maxBatches = 200;

/** For the clean-up job. A batch is a transaction of its own, so that no lock stands for long. */
export async function deleteOldPlans(ctx: CoreContext): Promise<number> {
  const before = addMs(ctx.clock.now(), -planDays * dayMs).toISOString();
  let deleted = 0;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const { count } = await ctx.db.drizzle.execute(sql`
      delete from instance_changes where id = any(array(
        select id from instance_changes
        where approved_at is null and ended_at is not null and created_at < ${before}::timestamptz limit ${batchSize}))`);
    deleted += count;
    if (count < batchSize) break;
  }
  return deleted;
}
