import { auditInventory } from "../audit-inventory.ts";
import { defineClusterTask } from "../define-task.ts";

/** Another worker's audit takes seconds; one that was asked for meanwhile follows it. */
const againMs = 15_000;

export const inventoryAudit = defineClusterTask("inventory:audit", async (context, _, run) => {
  const { metrics, log } = context;
  const outcome = await auditInventory(context, { holder: run.poolId, signal: run.signal });
  if (outcome === null) return run.again(againMs);
  const { audit, actions } = outcome;
  for (const [action, times] of Object.entries(actions)) metrics.repairs.inc({ action }, times);
  const { isWhole, unread, objects, instances, unjudged, findings, resolved, repaired, deleted } = audit;
  const counts = { objects, instances, unjudged, findings, resolved, repaired, deleted };
  log.info({ auditId: audit.id, isWhole, unread, ...counts }, "inventory audited");
});
