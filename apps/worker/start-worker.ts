import { hostname } from "node:os";
import { beatPool, endPool, reapDeadPools, requireKeys } from "@sewa/core";
import { type ContextOptions, openTaskContext, type TaskContext } from "./context.ts";
import { createTaskList } from "./define-task.ts";
import { type Health, startInternalServer } from "./internal-server.ts";
import { createLogRelay } from "./log-relay.ts";
import { startLoop } from "./loop.ts";
import manifest from "./package.json" with { type: "json" };
import { type Queue, startQueue } from "./queue.ts";
import { tasks } from "./tasks.ts";
import { startWatch } from "./watch.ts";

export interface WorkerOptions extends ContextOptions {
  readonly jobConcurrency: number;
  /** Where health and metrics are served; port 0 takes a free one. */
  readonly internal: { readonly host: string; readonly port: number };
}

/** `stopped`: somebody asked for it. `broken`: the queue gave up by itself, and only a new process helps. */
export type WorkerEnd = "stopped" | "broken";

export interface Worker extends AsyncDisposable {
  readonly poolId: string;
  readonly internalUrl: string;
  /** Resolves when everything is closed; never rejects. */
  readonly closed: Promise<WorkerEnd>;
  /** Takes no more jobs, waits for those that run (20 s at most), says good-bye and closes everything. May be called twice. */
  close(): Promise<void>;
}

const beatMs = 10_000;
const reapMs = 30_000;
/** Longer without a sign of life, and the process is better started anew. */
const deadAfterMs = 90_000;

/**
 * Starts to work. Rejects when the database does not answer, and with a `ConfigurationError` when the keyring lacks what the
 * database needs; a cluster may be away at the start and come later.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { log } = options;
  await using opening = new AsyncDisposableStack();
  const context = opening.use(openTaskContext(options));
  await context.keepTime();
  await requireKeys(context.core);
  const queue = opening.use(
    await startQueue({
      databaseUrl: options.databaseUrl,
      concurrency: options.jobConcurrency,
      tasks: createTaskList(tasks, () => context, { hasCluster: context.cluster !== null }),
      log,
      onListenReconnect: () => context.metrics.listenReconnects.inc(),
    }),
  );
  const vitals = await startVitals(options, context, queue, opening);
  if (context.cluster !== null) {
    const watcher = opening.use(startWatch({ core: context.core, cluster: context.cluster, log }));
    context.metrics.watch(watcher);
  }
  log.info({ poolId: queue.poolId, internalUrl: vitals.internalUrl }, "worker started");
  return superviseWorker(options, context, queue, vitals, opening.move());
}

interface Vitals {
  readonly internalUrl: string;
  /** No heartbeat may follow the good-bye. */
  stopBeating(): Promise<void>;
}

/** Heartbeat, take-over of dead pools and the port that tells about them. */
async function startVitals(
  options: WorkerOptions,
  { core, cluster, metrics }: TaskContext,
  queue: Queue,
  resources: AsyncDisposableStack,
): Promise<Vitals> {
  const { log } = options;
  const startedAt = performance.now();
  let beatSilentMs = (): number => performance.now() - startedAt;
  const health = (): Health => ({
    isAlive: beatSilentMs() < deadAfterMs && queue.silentMs() < deadAfterMs,
    details: {
      poolId: queue.poolId,
      beatSilentMs: Math.round(beatSilentMs()),
      queueSilentMs: Math.round(queue.silentMs()),
    },
  });
  const logs = createLogRelay({ core, cluster, log });
  metrics.relay(logs);
  metrics.tables(core);
  const server = resources.use(
    await startInternalServer({
      ...options.internal,
      registry: metrics.registry,
      logs,
      health,
      isReady: () =>
        core.db.ping().then(
          () => health().isAlive,
          () => false,
        ),
    }),
  );
  const pool = { poolId: queue.poolId, host: hostname(), version: manifest.version, internalUrl: server.url };
  const beat = resources.use(
    startLoop({
      everyMs: beatMs,
      run: () => beatPool(core, pool),
      onError: (error) => log.error({ err: error }, "heartbeat could not be written"),
    }),
  );
  beatSilentMs = beat.silentMs;
  metrics.vitals({ beat: beat.silentMs, queue: queue.silentMs });
  resources.use(
    startLoop({
      everyMs: reapMs,
      async run() {
        const reaped = await reapDeadPools(core);
        metrics.reapedPools.inc(reaped.length);
        if (reaped.length > 0) log.warn({ pools: reaped }, "jobs of dead workers were taken over");
      },
      onError: (error) => log.error({ err: error }, "dead workers could not be looked for"),
    }),
  );
  return { internalUrl: server.url, stopBeating: async () => beat[Symbol.asyncDispose]() };
}

function superviseWorker(
  { log }: WorkerOptions,
  { core }: TaskContext,
  queue: Queue,
  vitals: Vitals,
  resources: AsyncDisposableStack,
): Worker {
  const closed = Promise.withResolvers<WorkerEnd>();
  let closing: Promise<void> | null = null;

  const shutDown = async (end: WorkerEnd): Promise<void> => {
    try {
      await queue[Symbol.asyncDispose]();
      await vitals.stopBeating();
      await endPool(core, queue.poolId);
    } finally {
      await resources.disposeAsync();
    }
    log.info({ poolId: queue.poolId }, end === "stopped" ? "worker stopped" : "worker broke");
  };
  const close = (end: WorkerEnd): Promise<void> => {
    closing ??= shutDown(end)
      .catch((error: unknown) => log.error({ err: error }, "worker could not be closed in order"))
      .then(() => closed.resolve(end));
    return closing;
  };
  // A runner that ends although nobody asked leaves a process that looks well and does nothing.
  void queue.ended.then(() => close("broken"));
  return {
    poolId: queue.poolId,
    internalUrl: vitals.internalUrl,
    closed: closed.promise,
    close: () => close("stopped"),
    [Symbol.asyncDispose]: () => close("stopped"),
  };
}
