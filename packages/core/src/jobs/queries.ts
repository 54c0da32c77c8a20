import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { writeOperatorAudit } from "../audit/index.ts";
import { authorize } from "../permissions.ts";
import { enqueue } from "./enqueue.ts";
import { fromStoredPayload, isJobName, jobKey, type JobName, type JobPayload, jobs } from "./job.ts";

export interface JobRow {
  readonly id: string;
  readonly task: string;
  readonly key: string | null;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly runAt: Date;
  readonly lastError: string | null;
  readonly lockedBy: string | null;
  /** Of the request that it was added for. */
  readonly requestId: string | null;
  readonly status: "waiting" | "running" | "failed";
}

interface RawJob extends Record<string, unknown> {
  id: string;
  task: string;
  key: string | null;
  attempts: number;
  max_attempts: number;
  run_at: string;
  last_error: string | null;
  locked_by: string | null;
  payload: unknown;
}

/** Oldest first. Needs the worker's role: the server's cannot read the job table. */
export async function listJobs(
  ctx: CoreContext,
  filter: { readonly task?: string; readonly status?: JobRow["status"]; readonly limit?: number } = {},
): Promise<readonly JobRow[]> {
  authorize(ctx.actor, "admin.jobs.read");
  const rows = await ctx.db.drizzle.execute<RawJob>(sql`
    select j.id::text, t.identifier as task, j.key, j.attempts, j.max_attempts, j.run_at::text, j.last_error, j.locked_by, j.payload
    from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
    where (${filter.task ?? null}::text is null or t.identifier = ${filter.task ?? null})
      and (${filter.status ?? null}::text is null or ${filter.status ?? null} = case
        when j.locked_by is not null then 'running' when j.attempts >= j.max_attempts then 'failed' else 'waiting' end)
    order by j.id limit ${Math.min(filter.limit ?? 1_000, 1_000)}`);
  return rows.map(toJobRow);
}

/** Adds a job by name, as an operator does from the command line. */
export async function runJob(ctx: CoreContext, name: string, payload: unknown): Promise<{ readonly key: string }> {
  authorize(ctx.actor, "admin.jobs.write");
  if (!isJobName(name)) throw new DomainError("INVALID_INPUT", `There is no task "${name}".`);
  const parsed = jobs[name].payload.safeParse(payload);
  if (!parsed.success) {
    throw new DomainError("INVALID_INPUT", `The payload does not fit ${name}.`, {
      issues: parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })),
    });
  }
  return ctx.transaction(async (tx) => {
    await enqueue(tx, name as JobName, parsed.data as JobPayload<JobName>);
    await writeOperatorAudit(tx, { action: "job.run", subject: { type: "task", id: name }, after: parsed.data });
    return { key: jobKey(name, parsed.data as JobPayload<JobName>) };
  });
}

/** Gives a failed or waiting job its next try at once, with all its attempts. */
export async function retryJob(ctx: CoreContext, jobId: string): Promise<void> {
  await changeJob(ctx, "job.retry", jobId, async (tx, id) =>
    tx.execute(
      sql`select id from graphile_worker.reschedule_jobs(array[${id}::bigint], run_at => now(), attempts => 0)`,
    ),
  );
}

/** Takes a job that nobody runs out of the table. What it was about is found again by the sweep if it is still due. */
export async function cancelJob(ctx: CoreContext, jobId: string): Promise<void> {
  await changeJob(ctx, "job.cancel", jobId, async (tx, id) =>
    tx.execute(sql`select id from graphile_worker.complete_jobs(array[${id}::bigint])`),
  );
}

async function changeJob(
  ctx: CoreContext,
  action: string,
  jobId: string,
  change: (
    tx: Parameters<Parameters<CoreContext["transaction"]>[0]>[0]["sql"],
    id: string,
  ) => Promise<readonly unknown[]>,
): Promise<void> {
  authorize(ctx.actor, "admin.jobs.write");
  if (!/^\d{1,18}$/.test(jobId)) throw notFound("job");
  await ctx.transaction(async (tx) => {
    const changed = await change(tx.sql, jobId);
    if (changed.length === 0) throw notFound("job, or a worker is running it");
    await writeOperatorAudit(tx, { action, subject: { type: "job", id: jobId } });
  });
}

function toJobRow(row: RawJob): JobRow {
  const status = row.locked_by !== null ? "running" : row.attempts >= row.max_attempts ? "failed" : "waiting";
  return {
    id: row.id,
    task: row.task,
    key: row.key,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    runAt: new Date(row.run_at),
    lastError: row.last_error,
    lockedBy: row.locked_by,
    requestId: fromStoredPayload(row.payload).requestId,
    status,
  };
}
