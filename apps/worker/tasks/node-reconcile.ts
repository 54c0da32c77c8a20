import { listNodeWishes, recordNodes } from "@sewa/core";
import { defineClusterTask } from "../define-task.ts";

/** Opens and closes machines as operators asked, and writes down what the cluster has. */
export const nodeReconcile = defineClusterTask("node:reconcile", async ({ core, cluster }, _, { signal }) => {
  const wishes = await listNodeWishes(core);
  const before = await cluster.nodes({ signal });
  const differing = before.filter(({ name, schedulable }) => wishes.has(name) && wishes.get(name) !== schedulable);
  for (const { name, schedulable } of differing) await cluster.setSchedulable(name, !schedulable, { signal });
  await recordNodes(core, differing.length === 0 ? before : await cluster.nodes({ signal }));
});
