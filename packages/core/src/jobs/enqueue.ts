import { type SQL, sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type JobName, type JobPayload, jobKey, jobs, toStoredPayload } from "./job.ts";

/**
 * Adds a prompt in the same transaction as the state that it is about: there is no second store and no outbox. The same
 * key again replaces the waiting prompt. A prompt may be lost; the sweep finds the work in the tables.
 * `delayMs` is only for waiting on the world (a pod that starts); dates of the business are columns.
 */
export async function enqueue<N extends JobName>(
  tx: Pick<Tx, "sql" | "ctx">,
  name: N,
  payload: JobPayload<N>,
  options: { readonly delayMs?: number } = {},
): Promise<void> {
  const body = JSON.stringify(toStoredPayload(jobs[name].payload.parse(payload), tx.ctx.requestId));
  const key = jobKey(name, payload);
  const delay = options.delayMs ?? 0;
  // Under contention for one key the function may answer null; the next try meets the row that won.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const [row] = await tx.sql.execute<{ added: boolean }>(sql`
      select enqueue_job(${name}, ${body}::json, ${key},
        ${delay === 0 ? sql`null` : sql`now() + ${`${delay} milliseconds`}::interval`},
        priority => ${jobs[name].priority}) as added`);
    if (row?.added === true) return;
  }
  assert(false, `the job ${name} could be added`);
}

/** At most so many are added by one statement, unless the caller wants fewer. */
const maxMissing = 5_000;
/** A worker that was silent for so long does not keep its jobs from being added again. */
const holderSilenceSeconds = 30;

/**
 * Adds the jobs of all ids in the column `id` of a query that have none: neither one that waits, be it for its next try,
 * nor one that a living worker runs. One statement, in the order of the ids, as everybody adds more than one: others would wait for
 * each other's rows. Answers how many it added, which in health is none. Worker's role.
 */
export async function enqueueMissing(
  ctx: CoreContext,
  name: JobName,
  ids: SQL,
  { atMost = maxMissing }: { readonly atMost?: number } = {},
): Promise<number> {
  const field = jobs[name].key;
  assert(field !== null, "a job that is looked for has an id");
  const [row] = await ctx.db.drizzle.execute<{ added: number }>(sql`
    select count(missing.added)::int as added from (
      select enqueue_job(${name}, json_build_object(${field}::text, s.id), ${name} || ':' || s.id,
        priority => ${jobs[name].priority}) as added
      from (${ids}) s
      where not exists (
        select 1 from graphile_worker._private_jobs j left join worker_pools p on p.pool_id = j.locked_by
        where j.key = ${name} || ':' || s.id and j.attempts < j.max_attempts
          and (j.locked_by is null or p.beat_at > now() - make_interval(secs => ${holderSilenceSeconds})))
      order by s.id limit ${Math.min(atMost, maxMissing)}
    ) missing`);
  return row?.added ?? 0;
}
