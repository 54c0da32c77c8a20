import { loadPreview, reconcileChange, recordPreview } from "@sewa/core";
import { defineClusterTask, defineTask } from "../define-task.ts";

/** A change is looked at once, and once more where its volumes cannot grow. */
const maxLooks = 2;

/** Looks at the cluster for a change that is being planned, or about to be carried out. Writes nothing there. */
export const changePreview = defineClusterTask("change:preview", async ({ core, cluster, log }, { changeId }, run) => {
  for (let looks = 0; looks < maxLooks; looks += 1) {
    const specs = await loadPreview(core, changeId);
    if (specs === null) return;
    const preview = await cluster.preview(specs, { signal: run.signal });
    if (preview.refusals.length > 0) log.info({ changeId, refusals: preview.refusals }, "the cluster refuses a change");
    if ((await recordPreview(core, changeId, preview)) === "done") return;
  }
  throw new Error(`Broken invariant: the change ${changeId} is looked at again and again`);
});

/** Does what time, money and the operation ask of the changes of an app. */
export const changeReconcile = defineTask("change:reconcile", async ({ core }, { instanceId }) => {
  await reconcileChange(core, instanceId);
});
