import { createInstanceStore } from "@sewa/core";
import { reconcileInstance, TerminalError } from "@sewa/provisioner";
import { defineClusterTask } from "../define-task.ts";

/** One pass over all objects of an app, each with its retries against a slow cluster. */
const passSeconds = 300;

/** Brings one instance a step towards what is desired, and comes again while the world needs time. */
export const instanceReconcile = defineClusterTask(
  "instance:reconcile",
  async ({ core, cluster, log, metrics }, { instanceId }, run) => {
    const instances = createInstanceStore(core, run.poolId);
    try {
      const result = await reconcileInstance({ instances, cluster }, instanceId, { signal: run.signal });
      metrics.reconciles.inc({ outcome: result.outcome });
      if (result.outcome !== "converged") await run.again(result.requeueAfterMs);
    } catch (error) {
      metrics.reconciles.inc({ outcome: error instanceof TerminalError ? "terminal" : "error" });
      if (!(error instanceof TerminalError)) throw error;
      // What is wrong stands in the instance for its customer. Trying again cannot help; the operation ends at its deadline.
      log.error({ instanceId, err: error }, "instance cannot be brought about");
    }
  },
  { deadlineSeconds: passSeconds },
);
