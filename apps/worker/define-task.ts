import { type JobName, jobKey, type JobPayload, jobs } from "@sewa/core";
import type { Cluster } from "@sewa/provisioner";
import type { JobHelpers, TaskList } from "graphile-worker";
import type { TaskContext } from "./context.ts";
import { readableMessage } from "./log.ts";

/** One run of a job. */
export interface TaskRun {
  /** The pool that runs it; the holder of leases. */
  readonly poolId: string;
  /** Aborted when the worker stops and cannot wait any longer. */
  readonly signal: AbortSignal;
  /** Runs the same job again after `delayMs`, unless a prompt for it waits already: that one keeps its earlier time. */
  again(delayMs: number): Promise<void>;
}

export interface TaskDefinition {
  readonly name: JobName;
  readonly needsCluster: boolean;
  /** `payload` fits the schema of the job: it was checked just before. */
  run(context: TaskContext, payload: unknown, run: TaskRun): Promise<void>;
}

type Handler<N extends JobName, C> = (context: C, payload: JobPayload<N>, run: TaskRun) => Promise<void>;

/** A task is the name of a job and what to do. Throwing makes the queue try again with back-off. */
export function defineTask<N extends JobName>(name: N, handler: Handler<N, TaskContext>): TaskDefinition {
  return { name, needsCluster: false, run: (context, payload, run) => handler(context, payload as JobPayload<N>, run) };
}

/** The same, for a task that workers without a cluster leave to others. */
export function defineClusterTask<N extends JobName>(
  name: N,
  handler: Handler<N, TaskContext & { readonly cluster: Cluster }>,
): TaskDefinition {
  return {
    name,
    needsCluster: true,
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

async function runTask(
  task: TaskDefinition,
  context: TaskContext,
  rawPayload: unknown,
  helpers: JobHelpers,
): Promise<void> {
  const startedAt = performance.now();
  const end = (outcome: string): void =>
    context.metrics.jobs.observe({ task: task.name, outcome }, (performance.now() - startedAt) / 1_000);
  const parsed = jobs[task.name].payload.safeParse(withoutCronMark(rawPayload));
  const fields = { task: task.name, jobId: helpers.job.id, attempt: helpers.job.attempts };
  if (!parsed.success) {
    end("refused");
    const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
    context.log.error({ ...fields, problems }, "job refused");
    await giveUp(helpers);
    throw new Error(`The payload does not fit ${task.name}. ${problems}`);
  }
  try {
    await task.run(context, parsed.data, toRun(task.name, parsed.data as JobPayload<JobName>, helpers));
    end("success");
  } catch (error) {
    end("failure");
    context.log.warn({ ...fields, err: error }, "job failed");
    // What is thrown here is stored in the job's row, where operators read it.
    throw new Error(readableMessage(error), { cause: error });
  }
}

function toRun(name: JobName, payload: JobPayload<JobName>, helpers: JobHelpers): TaskRun {
  return {
    // The queue locks a job by its pool.
    poolId: helpers.job.locked_by ?? "unknown",
    signal: helpers.abortSignal ?? new AbortController().signal,
    async again(delayMs) {
      await helpers.addJob(name, payload, {
        jobKey: jobKey(name, payload),
        // A customer's "stop" that arrived while this ran must not wait until the delay is over.
        jobKeyMode: "preserve_run_at",
        runAt: new Date(Date.now() + delayMs),
      });
    },
  };
}

/** The cron adds when it meant the job to run. */
function withoutCronMark(payload: unknown): unknown {
  if (payload === null || typeof payload !== "object" || !("_cron" in payload)) return payload;
  const { _cron, ...rest } = payload;
  return rest;
}

/**
 * Uses up the attempts of the running job: a payload that does not fit today will not fit tomorrow. The queue's own
 * function for this leaves jobs alone that somebody runs, as we do now.
 */
async function giveUp(helpers: JobHelpers): Promise<void> {
  const { id, locked_by: lockedBy } = helpers.job;
  await helpers.query(
    "update graphile_worker._private_jobs set attempts = max_attempts where id = $1::bigint and locked_by = $2",
    [id, lockedBy],
  );
}
