import { recordUsage } from "@sewa/core";
import { defineClusterTask } from "../define-task.ts";

/** Writes down what all apps use now. A cluster that does not say leaves a gap, which is no failure of the job. */
export const usageSample = defineClusterTask("usage:sample", async ({ core, cluster, metrics }, _, { signal }) => {
  const measured = await cluster.usage({ signal });
  metrics.usageAvailable.set(measured === null ? 0 : 1);
  if (measured === null) return;
  metrics.usageSamples.inc(await recordUsage(core, measured));
  metrics.usageCollectedAt.set(core.clock.now().getTime() / 1_000);
});
