import { type SQL, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { writeOperatorAudit } from "../audit/index.ts";
import { type Page, type PageInput, pageLimit, readNumberCursor, toPage } from "../pages.ts";
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

export interface ListJobsInput extends PageInput {
  readonly task?: string | undefined;
  readonly status?: JobRow["status"] | undefined;
}

/** Oldest first. */
export async function listJobs(ctx: CoreContext, input: ListJobsInput): Promise<Page<JobRow>> {
  authorize(ctx.actor, "admin.jobs.read");
  const after = readNumberCursor(input.cursor);
  const limit = pageLimit(input);
  const { task = null, status = null } = input;
  const rows = await readJobs(
    ctx.db.drizzle,
    sql`null, ${task}::text, ${status}::text, ${after}::bigint, ${limit + 1}::int`,
  );
  return toPage(rows, limit, ({ id }) => [Number(id)]);
}

/** Throws NOT_FOUND, also once it is done: what is done is in the queue no more. */
export async function getJob(ctx: CoreContext, jobId: string): Promise<JobRow> {
  authorize(ctx.actor, "admin.jobs.read");
  const [job] = await readJobs(ctx.db.drizzle, sql`${parseJobId(jobId)}::bigint, null, null, null, 1`);
  if (job === undefined) throw notFound("job");
  return job;
}

async function readJobs(
  database: Pick<CoreContext["db"]["drizzle"], "execute">,
  which: SQL,
): Promise<readonly JobRow[]> {
  const rows = await database.execute<RawJob>(sql`
    select id::text, task, key, attempts, max_attempts, run_at::text, last_error, locked_by, payload from read_jobs(${which})`);
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
    writeOperatorAudit(tx, { action: "job.run", subject: { type: "task", id: name }, after: parsed.data });
    return { key: jobKey(name, parsed.data as JobPayload<JobName>) };
  });
}

/** Gives a failed or waiting job its next try at once, with all its attempts. Answers with it as it is then. */
export async function retryJob(ctx: CoreContext, jobId: string): Promise<JobRow> {
  return changeJob(ctx, "job.retry", jobId, sql`retry_job`);
}

/**
 * Takes a job that nobody runs out of the table, and answers with it as it was. What it was about is found again by the sweep
 * if it is still due.
 */
export async function cancelJob(ctx: CoreContext, jobId: string): Promise<JobRow> {
  return changeJob(ctx, "job.cancel", jobId, sql`cancel_job`);
}

/** Answers with the job as it is afterwards, or as it was last. */
async function changeJob(ctx: CoreContext, action: string, jobId: string, change: SQL): Promise<JobRow> {
  authorize(ctx.actor, "admin.jobs.write");
  const id = parseJobId(jobId);
  const which = sql`${id}::bigint, null, null, null, 1`;
  return ctx.transaction(async (tx) => {
    const [before] = await readJobs(tx.sql, which);
    if (before === undefined) throw notFound("job");
    const [changed] = await tx.sql.execute<{ done: boolean }>(sql`select ${change}(${id}::bigint) as done`);
    if (changed?.done !== true) throw notFound("job, or a worker is running it");
    writeOperatorAudit(tx, { action, subject: { type: "job", id: jobId } });
    const [after = before] = await readJobs(tx.sql, which);
    return after;
  });
}

function parseJobId(jobId: string): string {
  if (!/^\d{1,18}$/.test(jobId)) throw notFound("job");
  return jobId;
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
