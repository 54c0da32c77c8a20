import { instances, instanceSecrets } from "@sewa/db/schema";
import { and, eq, isNull } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { notifyOrganization, record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import type { InstanceRow } from "./instance.ts";

/** Nothing was ever applied for it, so it is gone without asking the cluster. */
export async function markNeverProvisioned(tx: Tx, instance: InstanceRow): Promise<void> {
  const marked = await tx.sql
    .update(instances)
    .set({ removedAt: tx.now, revision: instance.revision + 1 })
    .where(and(eq(instances.id, instance.id), isNull(instances.removedAt)))
    .returning({ id: instances.id });
  if (marked.length === 0) return;
  await tx.sql.delete(instanceSecrets).where(eq(instanceSecrets.instanceId, instance.id));
  notifyOrganization(tx);
  record(tx, { type: "instance.removed", instanceId: instance.id, subscriptionId: instance.subscriptionId });
  await enqueue(tx, "subscription:reconcile", { subscriptionId: instance.subscriptionId });
}
