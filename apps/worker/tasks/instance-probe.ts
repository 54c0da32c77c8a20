import { listProbeTargets, recordProbes, reportOutages } from "@sewa/core";
import { defineClusterTask } from "../define-task.ts";

/** Asks every app that should answer whether it does. Without the address of the ingress controller nobody is asked. */
export const instanceProbe = defineClusterTask("instance:probe", async ({ core, cluster, metrics }, _, { signal }) => {
  if (!cluster.canProbe) return;
  const targets = await listProbeTargets(core);
  const at = core.clock.now();
  const answers = await cluster.probe(targets, { signal });
  await recordProbes(core, {
    at,
    answers: targets.map(({ instanceId, generation }) => ({
      instanceId,
      generation,
      isAnswering: answers.get(instanceId) === true,
    })),
  });
  for (const isAnswering of answers.values()) metrics.probes.inc({ outcome: isAnswering ? "answered" : "failed" });
  await reportOutages(core);
});
