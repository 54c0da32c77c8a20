import { capacityHolds } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { dropHold, restoreHold } from "../capacity/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { lockInstance, type LockedInstance, setDesired, wantedPhase } from "../instances/index.ts";
import { type InventoryRow, isHoldOver, needsHold } from "./inventory-row.ts";
import { readInventoryRows } from "./read-rows.ts";

/**
 * Brings rows of one instance in line with each other, decided anew under their locks: the wish follows money and customer,
 * the promise of room follows the wish. Never towards a deletion: that an app is to be gone is said by the verb that
 * cancels, and by nothing else. Answers whether it changed anything.
 */
export async function correctRows(ctx: CoreContext, row: InventoryRow): Promise<boolean> {
  const { instanceId, organizationId } = row;
  return ctx.forOrganization(organizationId).transaction(async (tx) => {
    const locked = await lockInstance(tx, instanceId);
    const now = (await readInventoryRows(ctx, [instanceId])).get(instanceId);
    if (now === undefined || now.inFlux || now.mark !== row.mark) return false;
    return (await correctWish(tx, locked)) || (await correctHold(tx, locked, now));
  });
}

async function correctWish(tx: Tx, locked: LockedInstance): Promise<boolean> {
  const { instance, subscriptionStatus } = locked;
  const phase = wantedPhase(locked);
  // What was removed has lost its secrets; nothing can be made of it any more.
  if (phase === "absent" || phase === instance.desiredPhase || instance.removedAt !== null) return false;
  await setDesired(tx, instance, { phase, releasesCapacity: subscriptionStatus === "expired" });
  return true;
}

async function correctHold(tx: Tx, { instance }: LockedInstance, row: InventoryRow): Promise<boolean> {
  const [hold] = await tx.sql
    .select({ instanceId: capacityHolds.instanceId })
    .from(capacityHolds)
    .where(eq(capacityHolds.instanceId, instance.id));
  if (hold !== undefined && isHoldOver(row)) {
    await dropHold(tx, instance.id);
    return true;
  }
  if (hold !== undefined || !needsHold(row)) return false;
  const { cpuRequestMillis, memoryRequestBytes } = instance.limits;
  const demand = { cpuMillis: cpuRequestMillis, memoryBytes: memoryRequestBytes };
  await restoreHold(tx, { instanceId: instance.id, pool: instance.nodePool, demand });
  return true;
}
