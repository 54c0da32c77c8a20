import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createWorkerPool } from "@sewa/db";
import { parseCrontab, run, type Runner, type TaskList, type WorkerEvents } from "graphile-worker";
import { graphileLogger, type Logger } from "./log.ts";

/** Settings that every runner of our jobs shares, the stock command included. */
export const queueSettings = {
  pollInterval: 1_000,
  // With batching, or without waiting for it, a job that ends during a stop is reported as done and stays locked.
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
} as const;

export interface Patience {
  /** A job that still runs this long after the stop began is told to stop. */
  readonly abortMs: number;
  /** One that does not listen is left to others after this. */
  readonly leaveMs: number;
}

const usualPatience: Patience = { abortMs: 5_000, leaveMs: 20_000 };

export const crontabFile = new URL("./crontab", import.meta.url);

/** For the first look for jobs: much longer than a busy database takes, for one that is silent. */
const firstLookMs = 30_000;
/** Connections are given so long to close; whoever waits longer waits for a database that is away. */
const endMs = 5_000;

export interface Queue extends AsyncDisposable {
  /** Under this name the queue locks jobs. */
  readonly poolId: string;
  /** Resolves when no further job is taken, because the runner gave up, has ended or was stopped. Never rejects. */
  readonly ended: Promise<void>;
  /** Milliseconds since it last asked for a job or finished one. */
  readonly silentMs: () => number;
}

export interface QueueOptions {
  readonly databaseUrl: string;
  readonly concurrency: number;
  readonly tasks: TaskList;
  readonly log: Logger;
  /** Other bounds on stopping than the usual ones. */
  readonly patience?: Patience;
  /** LISTEN was lost and is back. Jobs that were added meanwhile are found by the next poll. */
  readonly onListenReconnect: () => void;
}

/** Starts to take jobs. Disposing takes no more, waits for those that run and closes the connections; what does not end stays locked until `endPool`. */
export async function startQueue(options: QueueOptions): Promise<Queue> {
  const { log, patience = usualPatience } = options;
  const pgPool = createWorkerPool({
    url: options.databaseUrl,
    // One listens, and jobs hold none while they run.
    max: options.concurrency + 1,
    onError: (error) => log.warn({ err: error }, "connection of the queue lost"),
  });
  const events: WorkerEvents = new EventEmitter();
  // The id alone: the pool itself has a `then`, and awaiting it would wait for its end.
  const created = new Promise<string>((resolve) =>
    events.once("pool:create", ({ workerPool }) => resolve(workerPool.id)),
  );
  let heardAt = performance.now();
  const onPulse = (): void => void (heardAt = performance.now());
  events.on("worker:getJob:empty", onPulse).on("job:start", onPulse).on("job:complete", onPulse);
  const asked = untilAsked(events);
  const gaveUp = new Promise((resolve) => events.once("pool:gracefulShutdown", resolve));
  const drained = new Promise((resolve) => events.once("pool:gracefulShutdown:complete", resolve));
  let isListenLost = false;
  events
    .on("pool:listen:error", () => (isListenLost = true))
    .on("pool:listen:success", () => {
      if (isListenLost) options.onListenReconnect();
      isListenLost = false;
    });
  try {
    const runner = await run({
      pgPool,
      noHandleSignals: true,
      taskList: options.tasks,
      parsedCronItems: parseCrontab(readFileSync(crontabFile, "utf8")),
      events,
      preset: {
        worker: {
          ...queueSettings,
          gracefulShutdownAbortTimeout: patience.abortMs,
          concurrentJobs: options.concurrency,
          logger: graphileLogger(log),
        },
      },
    });
    const poolId = await created;
    await withinStart(runner, asked);
    const finished = runner.promise.then(
      () => undefined,
      (error: unknown) => log.error({ err: error }, "the queue's runner broke"),
    );
    const close = async (): Promise<void> => {
      const stopped = stopRunner(runner).then(() => finished);
      // Its clock may sleep for a minute between tries to reach a database that is away, and nothing wakes it. And where
      // it could not write how jobs ended, it never finishes, because it counts those that it still has to write wrongly.
      const inTime = await isWithin(
        patience.leaveMs,
        Promise.race([stopped, drained.then(() => isWithin(endMs, stopped))]),
      );
      // The runner's own `kill` does nothing once it was asked to stop.
      if (!inTime) log.error("jobs did not stop in time and are left to others");
      await isWithin(endMs, pgPool.end());
    };
    let closing: Promise<void> | null = null;
    return {
      poolId,
      ended: Promise.race([finished, gaveUp]).then(() => undefined),
      silentMs: () => performance.now() - heardAt,
      [Symbol.asyncDispose]: () => (closing ??= close()),
    };
  } catch (error) {
    await isWithin(endMs, pgPool.end());
    throw error;
  }
}

/**
 * Waits for the first look for jobs. What the runner learns then of its tasks it keeps, and a failure to learn it as well: every later
 * look would fail with the same error, on a database that has long come back.
 */
function untilAsked(events: WorkerEvents): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  events.once("worker:getJob:empty", () => resolve()).once("job:start", () => resolve());
  events.once("worker:getJob:error", ({ error }) => reject(error));
  // A start that fails before may never come to ask how this ended.
  promise.catch(() => undefined);
  return promise;
}

/** Stops the runner and rejects when it has not looked in time, could not look, or has ended before. */
async function withinStart(runner: Runner, asked: Promise<void>): Promise<void> {
  const ended = runner.promise.then(() =>
    Promise.reject(new Error("The queue's runner ended before it looked for a job.")),
  );
  try {
    const inTime = await isWithin(firstLookMs, Promise.race([asked, ended]));
    if (!inTime) throw new Error("The queue did not look for a job in time.");
  } catch (error) {
    await isWithin(endMs, stopRunner(runner));
    throw error;
  }
}

/** A runner that has ended by itself refuses to be stopped, which is all right. */
async function stopRunner(runner: Runner): Promise<void> {
  await runner.stop("The worker stops.").catch(() => undefined);
}

async function isWithin(boundMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, boundMs, false)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
