import { sql } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type JobName, type JobPayload, jobKey, jobs } from "./job.ts";

/**
 * Adds a prompt in the same transaction as the state that it is about: there is no second store and no outbox. The same
 * key again replaces the waiting prompt. A prompt may be lost; the sweep finds the work in the tables.
 * `delayMs` is only for waiting on the world (a pod that starts); dates of the business are columns.
 */
export async function enqueue<N extends JobName>(
  tx: Pick<Tx, "sql">,
  name: N,
  payload: JobPayload<N>,
  options: { readonly delayMs?: number } = {},
): Promise<void> {
  const body = JSON.stringify(jobs[name].payload.parse(payload));
  const key = jobKey(name, payload);
  const delay = options.delayMs ?? 0;
  // Under contention for one key the function may answer null; the next try meets the row that won.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const [row] = await tx.sql.execute<{ added: boolean }>(sql`
      select enqueue_job(${name}, ${body}::json, ${key},
        ${delay === 0 ? sql`null` : sql`now() + ${`${delay} milliseconds`}::interval`}) as added`);
    if (row?.added === true) return;
  }
  assert(false, `the job ${name} could be added`);
}
