import { createInstanceStore, type InstanceStore } from "@sewa/core";
import { reconcileInstance, TerminalError } from "@sewa/provisioner";
import { defineClusterTask } from "../define-task.ts";
import { currentJob } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";

/** One pass over all objects of an app, each with its retries against a slow cluster. */
const passSeconds = 300;

/** Brings one instance a step towards what is desired, and comes again while the world needs time. */
export const instanceReconcile = defineClusterTask(
  "instance:reconcile",
  async ({ core, cluster, log, metrics }, { instanceId }, run) => {
    const instances = told(createInstanceStore(core, run.poolId), metrics);
    const end = metrics.reconciles.startTimer();
    try {
      const result = await reconcileInstance({ instances, cluster }, instanceId, { signal: run.signal });
      end({ outcome: result.outcome });
      if (result.outcome !== "converged") await run.again(result.requeueAfterMs);
    } catch (error) {
      end({ outcome: error instanceof TerminalError ? "terminal" : "error" });
      if (!(error instanceof TerminalError)) throw error;
      // What is wrong stands in the instance for its customer. Trying again cannot help; the operation ends at its deadline.
      log.error({ instanceId, err: error }, "instance cannot be brought about");
    }
  },
  { deadlineSeconds: passSeconds },
);

/** Log lines name the request whose operation is under way, whoever prompted this pass; restarts of containers are counted. */
function told(instances: InstanceStore, metrics: WorkerMetrics): InstanceStore {
  return {
    ...instances,
    async load(lease) {
      const loaded = await instances.load(lease);
      const job = currentJob.getStore();
      if (job !== undefined && loaded?.requestId != null) job.requestId = loaded.requestId;
      return loaded;
    },
    async recordObserved(lease, generation, observation) {
      const recorded = await instances.recordObserved(lease, generation, observation);
      metrics.restarts.inc(recorded.restarts);
      return recorded;
    },
  };
}
