import { type SQL, sql } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { hourDays, sampleDays } from "./sample.ts";

const batchSize = 10_000;
/** In one run; what is left over then is found by the next one. */
const maxBatches = 200;

export interface DeletedUsage {
  readonly samples: number;
  readonly hours: number;
  readonly simulatedHours: number;
}

/** For the clean-up job. A batch is a transaction of its own, so that no lock stands for long. */
export async function deleteOldUsage(ctx: CoreContext): Promise<DeletedUsage> {
  const before = (days: number): string => addMs(ctx.clock.now(), -days * dayMs).toISOString();
  // What was not rated yet waits for a period that may still begin.
  return {
    samples: await deleteInBatches(
      ctx,
      sql`delete from usage_samples where ctid = any(array(
        select ctid from usage_samples where ended_at < ${before(sampleDays)}::timestamptz limit ${batchSize}))`,
    ),
    hours: await deleteInBatches(
      ctx,
      sql`delete from usage_hours where ctid = any(array(
        select ctid from usage_hours where hour_at < ${before(hourDays)}::timestamptz and is_rated limit ${batchSize}))`,
    ),
    simulatedHours: await deleteInBatches(
      ctx,
      sql`delete from simulated_hours where ctid = any(array(
        select h.ctid from simulated_hours h join test_clocks c on c.organization_id = h.organization_id
        where h.is_rated and h.hour_at < c.now_at - make_interval(days => ${hourDays}) limit ${batchSize}))`,
    ),
  };
}

async function deleteInBatches(ctx: CoreContext, statement: SQL): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const { count } = await ctx.db.drizzle.execute(statement);
    deleted += count;
    if (count < batchSize) break;
  }
  return deleted;
}
