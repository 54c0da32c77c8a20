import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";

/** The queue of one task, as it stands. */
export interface JobCounts {
  readonly task: string;
  /** Due, and taken by nobody. */
  readonly waiting: number;
  /** To run later: cron, back-off, or a pass that waits for the world. */
  readonly delayed: number;
  readonly running: number;
  /** Without tries left. */
  readonly failed: number;
  /** How long the one that has been due for longest waits; 0 when none does. */
  readonly oldestDueSeconds: number;
}

/** Of every task that has jobs, on the database's clock, which also set their times. One pass over the table; worker's role. */
export async function countJobs(ctx: CoreContext): Promise<readonly JobCounts[]> {
  const isFailed = sql`j.locked_at is null and j.attempts >= j.max_attempts`;
  const isOpen = sql`j.locked_at is null and j.attempts < j.max_attempts`;
  const rows = await ctx.db.drizzle.execute<{ [Column in keyof JobCounts]: JobCounts[Column] }>(sql`
    select t.identifier as task,
      count(*) filter (where ${isOpen} and j.run_at <= now())::int as waiting,
      count(*) filter (where ${isOpen} and j.run_at > now())::int as delayed,
      count(*) filter (where j.locked_at is not null)::int as running,
      count(*) filter (where ${isFailed})::int as failed,
      greatest(0, coalesce(extract(epoch from now() - min(j.run_at) filter (where ${isOpen})), 0))::float8 as "oldestDueSeconds"
    from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
    group by t.identifier order by t.identifier`);
  return [...rows];
}
