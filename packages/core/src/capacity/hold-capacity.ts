import { capacityHolds, nodePools } from "@sewa/db/schema";
import { and, eq, gte, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { type CapacityVerdict, type Demand, decideCapacity } from "./capacity.ts";

/**
 * Promises room to an instance, or throws CAPACITY and nothing has changed. One conditional UPDATE takes it, so two
 * orders for the last place cannot both get it. A hold that exists already is kept as it is.
 */
export async function holdCapacity(
  tx: Tx,
  input: { readonly instanceId: string; readonly pool: string; readonly demand: Demand },
): Promise<void> {
  const { instanceId, pool, demand } = input;
  const inserted = await tx.sql
    .insert(capacityHolds)
    .values({ instanceId, organizationId: organizationOf(tx), pool, ...demand })
    .onConflictDoNothing()
    .returning({ instanceId: capacityHolds.instanceId })
    .catch(refuseUnknownPool);
  if (inserted.length === 0) return;
  const taken = await tx.sql
    .update(nodePools)
    .set({
      heldCpuMillis: sql`${nodePools.heldCpuMillis} + ${demand.cpuMillis}`,
      heldMemoryBytes: sql`${nodePools.heldMemoryBytes} + ${demand.memoryBytes}`,
    })
    .where(
      and(
        eq(nodePools.name, pool),
        gte(nodePools.largestCpuMillis, demand.cpuMillis),
        gte(nodePools.largestMemoryBytes, demand.memoryBytes),
        sql`${nodePools.allocatableCpuMillis} * (100 - ${nodePools.cpuReservePercent}) / 100 - ${nodePools.heldCpuMillis} >= ${demand.cpuMillis}`,
        sql`${nodePools.allocatableMemoryBytes} * (100 - ${nodePools.memoryReservePercent}) / 100 - ${nodePools.heldMemoryBytes} >= ${demand.memoryBytes}`,
      ),
    )
    .returning({ name: nodePools.name });
  if (taken.length === 0) throw noCapacity();
}

/** Gives the room back. Nothing happens when there is no hold. */
export async function releaseCapacity(tx: Tx, instanceId: string): Promise<void> {
  const [hold] = await tx.sql
    .delete(capacityHolds)
    .where(and(eq(capacityHolds.organizationId, organizationOf(tx)), eq(capacityHolds.instanceId, instanceId)))
    .returning();
  if (hold === undefined) return;
  await tx.sql
    .update(nodePools)
    .set({
      heldCpuMillis: sql`${nodePools.heldCpuMillis} - ${hold.cpuMillis}`,
      heldMemoryBytes: sql`${nodePools.heldMemoryBytes} - ${hold.memoryBytes}`,
    })
    .where(eq(nodePools.name, hold.pool));
}

/** For quotes: says whether it would fit now and promises nothing. */
export async function checkCapacity(tx: Tx, pool: string, demand: Demand): Promise<CapacityVerdict> {
  const [row] = await tx.sql.select().from(nodePools).where(eq(nodePools.name, pool));
  return decideCapacity(row ?? null, demand);
}

function noCapacity(): DomainError {
  return new DomainError(
    "CAPACITY",
    "There is no room for another app of this size at the moment. Nothing was charged.",
  );
}

function refuseUnknownPool(error: unknown): never {
  const cause = (error as { cause?: { code?: string; constraint_name?: string } }).cause;
  if (cause?.code === "23503" && cause.constraint_name?.includes("pool")) throw noCapacity();
  throw error;
}
