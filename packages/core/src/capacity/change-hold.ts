import { capacityHolds, nodePools, nodes } from "@sewa/db/schema";
import { and, eq, gte, isNull, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { type CapacityVerdict, type Demand, decideCapacity } from "./capacity.ts";

type HoldRow = typeof capacityHolds.$inferSelect;

export interface HoldChange {
  readonly instanceId: string;
  /** What the instance shall hold from now on. */
  readonly demand: Demand;
  /** The machine that holds its volume, where it has to stay; null when it may run anywhere in its pool. */
  readonly nodeName: string | null;
}

export interface NewHold extends HoldChange {
  /** For a change that may still come to nothing, or is under way: looked at again when the app is at rest. */
  readonly isProvisional: boolean;
}

/**
 * Makes an instance's hold larger or smaller by the difference, or throws CAPACITY and nothing has changed. What grows is
 * taken by one conditional UPDATE, so two that grow into the same room cannot both get it. What shrinks is always given.
 */
export async function changeHold(tx: Tx, { isProvisional, ...change }: NewHold): Promise<void> {
  const { instanceId, demand } = change;
  const hold = await lockHold(tx, instanceId);
  if (hold === null) throw noRoom();
  await takeDifference(tx, hold, change);
  await tx.sql
    .update(capacityHolds)
    .set({ ...demand, isProvisional })
    .where(and(eq(capacityHolds.organizationId, hold.organizationId), eq(capacityHolds.instanceId, instanceId)));
}

async function takeDifference(tx: Tx, hold: HoldRow, { instanceId, demand, nodeName }: HoldChange): Promise<void> {
  const cpu = demand.cpuMillis - hold.cpuMillis;
  const memory = demand.memoryBytes - hold.memoryBytes;
  if (cpu === 0 && memory === 0) return;
  const taken = await tx.sql
    .update(nodePools)
    .set({
      heldCpuMillis: sql`${nodePools.heldCpuMillis} + ${cpu}`,
      heldMemoryBytes: sql`${nodePools.heldMemoryBytes} + ${memory}`,
    })
    .where(
      and(
        eq(nodePools.name, hold.pool),
        ...(cpu > 0
          ? [
              gte(nodePools.largestCpuMillis, demand.cpuMillis),
              sql`${nodePools.allocatableCpuMillis} * (100 - ${nodePools.cpuReservePercent}) / 100 - ${nodePools.heldCpuMillis} >= ${cpu}`,
            ]
          : []),
        ...(memory > 0
          ? [
              gte(nodePools.largestMemoryBytes, demand.memoryBytes),
              sql`${nodePools.allocatableMemoryBytes} * (100 - ${nodePools.memoryReservePercent}) / 100 - ${nodePools.heldMemoryBytes} >= ${memory}`,
            ]
          : []),
      ),
    )
    .returning({ name: nodePools.name });
  if (taken.length === 0) throw noRoom();
  // Asked after the pool's row is locked: who grows on the same machine comes before or after, never beside.
  if ((cpu > 0 || memory > 0) && !(await fitsOnNode(tx, { instanceId, demand, nodeName }))) throw noRoom();
}

/** For plans: says whether the change would fit now and promises nothing. */
export async function checkHoldChange(tx: Tx, change: HoldChange): Promise<CapacityVerdict> {
  const [hold] = await tx.sql.select().from(capacityHolds).where(ofInstance(tx, change.instanceId));
  if (hold === undefined) return { fits: false, reason: "POOL_FULL" };
  const [pool] = await tx.sql.select().from(nodePools).where(eq(nodePools.name, hold.pool));
  assert(pool !== undefined, "a hold is in a pool");
  const { demand } = change;
  if (demand.cpuMillis <= hold.cpuMillis && demand.memoryBytes <= hold.memoryBytes) return { fits: true };
  // As if the instance came anew into a pool that it is not in yet; what does not grow is not asked for.
  const verdict = decideCapacity(
    {
      ...pool,
      heldCpuMillis: pool.heldCpuMillis - hold.cpuMillis,
      heldMemoryBytes: pool.heldMemoryBytes - hold.memoryBytes,
    },
    {
      cpuMillis: demand.cpuMillis > hold.cpuMillis ? demand.cpuMillis : 0,
      memoryBytes: demand.memoryBytes > hold.memoryBytes ? demand.memoryBytes : 0,
    },
  );
  if (!verdict.fits) return verdict;
  return (await fitsOnNode(tx, change)) ? verdict : { fits: false, reason: "NODE_FULL" };
}

/** What the instance holds now; null when it holds nothing. */
export async function findHold(tx: Tx, instanceId: string): Promise<Demand | null> {
  const [hold] = await tx.sql.select().from(capacityHolds).where(ofInstance(tx, instanceId));
  return hold === undefined ? null : { cpuMillis: hold.cpuMillis, memoryBytes: hold.memoryBytes };
}

async function lockHold(tx: Tx, instanceId: string): Promise<HoldRow | null> {
  const [hold] = await tx.sql.select().from(capacityHolds).where(ofInstance(tx, instanceId)).for("update");
  return hold ?? null;
}

/** A volume that lies on one machine keeps its app there, so the others that hold room on it count. */
async function fitsOnNode(tx: Tx, { instanceId, demand, nodeName }: HoldChange): Promise<boolean> {
  if (nodeName === null) return true;
  const [node] = await tx.sql
    .select({ cpuMillis: nodes.allocatableCpuMillis, memoryBytes: nodes.allocatableMemoryBytes })
    .from(nodes)
    .where(and(eq(nodes.name, nodeName), isNull(nodes.removedAt)));
  if (node === undefined) return false;
  // Most of them are other customers', behind the fence: a door answers with the sums.
  const [others] = await tx.sql.execute<{ cpu: string; memory: string }>(
    sql`select cpu_millis::text as cpu, memory_bytes::text as memory from sum_holds_on_node(${nodeName}, ${instanceId})`,
  );
  assert(others !== undefined, "a sum is one row");
  return (
    Number(others.cpu) + demand.cpuMillis <= node.cpuMillis &&
    Number(others.memory) + demand.memoryBytes <= node.memoryBytes
  );
}

function ofInstance(tx: Tx, instanceId: string) {
  return and(eq(capacityHolds.organizationId, organizationOf(tx)), eq(capacityHolds.instanceId, instanceId));
}

function noRoom(): DomainError {
  return new DomainError("CAPACITY", "There is no room for an app of this size at the moment. Nothing was changed.");
}
