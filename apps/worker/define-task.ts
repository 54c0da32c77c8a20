import { fromStoredPayload, type JobName, jobKey, type JobPayload, jobs, toStoredPayload } from "@sewa/core";
import type { Cluster } from "@sewa/provisioner";
import type { JobHelpers, TaskList } from "graphile-worker";
import type { TaskContext } from "./context.ts";
import { currentJob, readableMessage } from "./log.ts";

/** One run of a job. */
export interface TaskRun {
  /** The pool that runs it; the holder of leases. */
  readonly poolId: string;
  /** Aborted at the deadline, and when the worker stops and cannot wait any longer. */
  readonly signal: AbortSignal;
  /** Runs the same job again after `delayMs`, unless a prompt for it waits already: that one keeps its earlier time. */
  again(delayMs: number): Promise<void>;
}

export interface TaskDefinition {
  readonly name: JobName;
  readonly needsCluster: boolean;
  /** A run that takes longer has failed, whether it listens to its signal or not. */
  readonly deadlineSeconds: number;
  /** `payload` fits the schema of the job: it was checked just before. */
  run(context: TaskContext, payload: unknown, run: TaskRun): Promise<void>;
}

type Handler<N extends JobName, C> = (context: C, payload: JobPayload<N>, run: TaskRun) => Promise<void>;

export interface TaskOptions {
  /** 60 unless told otherwise. */
  readonly deadlineSeconds?: number;
}

const usualDeadlineSeconds = 60;

/** A task is the name of a job and what to do. Throwing makes the queue try again with back-off. */
export function defineTask<N extends JobName>(
  name: N,
  handler: Handler<N, TaskContext>,
  { deadlineSeconds = usualDeadlineSeconds }: TaskOptions = {},
): TaskDefinition {
  return {
    name,
    needsCluster: false,
    deadlineSeconds,
    run: (context, payload, run) => handler(context, payload as JobPayload<N>, run),
  };
}

/** The same, for a task that workers without a cluster leave to others. */
export function defineClusterTask<N extends JobName>(
  name: N,
  handler: Handler<N, TaskContext & { readonly cluster: Cluster }>,
  { deadlineSeconds = usualDeadlineSeconds }: TaskOptions = {},
): TaskDefinition {
  return {
    name,
    needsCluster: true,
    deadlineSeconds,
    async run(context, payload, run) {
      const { cluster } = context;
      if (cluster === null) throw new Error(`${name} needs a cluster, and none is configured.`);
      await handler({ ...context, cluster }, payload as JobPayload<N>, run);
    },
  };
}

/**
 * What graphile-worker runs. `getContext` is called with the first job. Tasks that need a cluster are left out when
 * there is none, so that the queue keeps their jobs for a worker that has one.
 */
export function createTaskList(
  definitions: readonly TaskDefinition[],
  getContext: () => TaskContext,
  options: { readonly hasCluster: boolean },
): TaskList {
  const usable = definitions.filter(({ needsCluster }) => options.hasCluster || !needsCluster);
  return Object.fromEntries(
    usable.map((task) => [task.name, (payload, helpers) => runTask(task, getContext(), payload, helpers)]),
  );
}

function runTask(task: TaskDefinition, context: TaskContext, stored: unknown, helpers: JobHelpers): Promise<void> {
  const { payload, requestId } = fromStoredPayload(stored);
  const { id: jobId, attempts: attempt } = helpers.job;
  const fields = { task: task.name, jobId, attempt, ...(requestId === null ? {} : { requestId }) };
  // What the task records and enqueues goes back to the same request.
  const traced = { ...context, core: context.core.forRequest(requestId) };
  return currentJob.run(fields, () => runTraced(task, traced, payload, helpers));
}

async function runTraced(
  task: TaskDefinition,
  context: TaskContext,
  payload: unknown,
  helpers: JobHelpers,
): Promise<void> {
  const startedAt = performance.now();
  const end = (outcome: string): void =>
    context.metrics.jobs.observe({ task: task.name, outcome }, (performance.now() - startedAt) / 1_000);
  context.metrics.began(task.name, helpers.job);
  const parsed = jobs[task.name].payload.safeParse(payload);
  if (!parsed.success) {
    end("refused");
    const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
    context.log.error({ problems }, "job refused");
    // Not for good: while versions change, a worker that is newer than this one may know what it means.
    throw new Error(`The payload does not fit ${task.name}. ${problems}`);
  }
  try {
    await runInTime(task, context, parsed.data as JobPayload<JobName>, helpers);
    end("success");
  } catch (error) {
    end("failure");
    context.log.warn({ err: error }, "job failed");
    // What is thrown here is stored in the job's row, where operators read it.
    throw new Error(readableMessage(error), { cause: error });
  }
}

/** A run that does not hear its signal is left to itself: its place in the queue is free, and what it writes late has to be harmless. */
async function runInTime(
  task: TaskDefinition,
  context: TaskContext,
  payload: JobPayload<JobName>,
  helpers: JobHelpers,
): Promise<void> {
  const deadline = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`${task.name} did not end within ${task.deadlineSeconds} s.`);
    deadline.abort(error);
    late.reject(error);
  }, task.deadlineSeconds * 1_000);
  const signal = helpers.abortSignal ? AbortSignal.any([helpers.abortSignal, deadline.signal]) : deadline.signal;
  const run = toRun(task.name, payload, context.core.requestId, signal, helpers);
  try {
    await Promise.race([task.run(context, payload, run), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function toRun(
  name: JobName,
  payload: JobPayload<JobName>,
  requestId: string | null,
  signal: AbortSignal,
  helpers: JobHelpers,
): TaskRun {
  return {
    // The queue locks a job by its pool.
    poolId: helpers.job.locked_by ?? "unknown",
    signal,
    async again(delayMs) {
      // Counted by the database, because the clock of this machine may be wrong. `preserve_run_at`: a customer's "stop"
      // that arrived while this ran must not wait until the delay is over.
      await helpers.query(
        `select from graphile_worker.add_job($1, payload => $2::json, job_key => $3, job_key_mode => 'preserve_run_at',
          run_at => now() + $4::float8 * interval '1 millisecond', priority => $5)`,
        [
          name,
          JSON.stringify(toStoredPayload(payload, requestId)),
          jobKey(name, payload),
          delayMs,
          jobs[name].priority,
        ],
      );
    },
  };
}
