import { type CoreContext, enqueue } from "@sewa/core";
import type { Cluster, Watcher } from "@sewa/provisioner";
import type { Logger } from "./log.ts";

const coalesceMs = 100;
const retryMs = 2_000;
/** Prompts in one transaction. The first list of a cluster names every instance at once. */
const batchSize = 200;

export interface WatchOptions {
  readonly core: CoreContext;
  readonly cluster: Cluster;
  readonly log: Logger;
}

/**
 * Turns what the cluster tells into prompts, and writes nothing else: whoever runs them reads the state anew. Ids are
 * collected for a moment, because one change of an app shows in many objects. Ids that the database did not take are
 * offered again; those that are lost with the process are found by the next full list or the sweep.
 */
export function startWatch({ core, cluster, log }: WatchOptions): Watcher {
  const instances = new Set<string>();
  let hasNodeNews = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | null = null;
  let isStopped = false;

  const schedule = (ms: number): void => {
    if (!isStopped && writing === null) timer ??= setTimeout(begin, ms);
  };
  const begin = (): void => {
    timer = undefined;
    writing = write()
      .then(
        () => 0,
        (error: unknown) => {
          log.warn({ err: error }, "prompts of the watch could not be written");
          return retryMs;
        },
      )
      .then((waitMs) => {
        writing = null;
        if (instances.size > 0 || hasNodeNews) schedule(Math.max(waitMs, coalesceMs));
      });
  };
  const write = async (): Promise<void> => {
    // In the order that every worker keeps: two with the same news in another order would wait for each other's jobs.
    const batch = [...instances].slice(0, batchSize).toSorted();
    const tellsNodes = hasNodeNews;
    // Taken out first: news that comes while this is written counts anew.
    for (const id of batch) instances.delete(id);
    hasNodeNews = false;
    try {
      await core.transaction(async (tx) => {
        for (const instanceId of batch) await enqueue(tx, "instance:reconcile", { instanceId });
        if (tellsNodes) await enqueue(tx, "node:reconcile", {});
      });
    } catch (error) {
      for (const id of batch) instances.add(id);
      hasNodeNews ||= tellsNodes;
      throw error;
    }
  };

  const watcher = cluster.watch(
    (instanceId) => {
      instances.add(instanceId);
      schedule(coalesceMs);
    },
    () => {
      hasNodeNews = true;
      schedule(coalesceMs);
    },
  );
  return {
    ready: () => watcher.ready(),
    stats: () => watcher.stats(),
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearTimeout(timer);
      await watcher[Symbol.asyncDispose]();
      await writing;
    },
  };
}
