import { nodePools, nodes } from "@sewa/db/schema";
import { and, eq, isNull, notInArray, sql } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import type { ObservedNode } from "./observed-node.ts";

/**
 * Writes down the machines of the cluster as it lists them now: a machine that joined becomes a row, one that is gone is
 * marked, and each pool's sums follow. The list must be whole. Never called with one that could not be read.
 */
export async function recordNodes(ctx: CoreContext, observed: readonly ObservedNode[]): Promise<void> {
  await ctx.transaction(async (tx) => {
    const now = ctx.clock.now();
    await lockPools(tx);
    await ensurePools(
      tx,
      observed.map(({ pool }) => pool),
    );
    for (const node of observed.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const facts = {
        role: node.role,
        pool: node.pool,
        isReady: node.ready,
        isSchedulable: node.schedulable,
        allocatableCpuMillis: node.allocatableCpuMillis,
        allocatableMemoryBytes: node.allocatableMemoryBytes,
        conditions: node.conditions,
        lastSeenAt: now,
        removedAt: null,
      };
      await tx.sql
        .insert(nodes)
        .values({ name: node.name, ...facts })
        .onConflictDoUpdate({ target: nodes.name, set: facts });
    }
    // A wish to open a machine again is fulfilled; later changes by others are theirs.
    await tx.sql
      .update(nodes)
      .set({ desiredSchedulable: null })
      .where(and(eq(nodes.desiredSchedulable, true), eq(nodes.isSchedulable, true)));
    const names = observed.map(({ name }) => name);
    await tx.sql
      .update(nodes)
      .set({ removedAt: now, isReady: false })
      .where(and(isNull(nodes.removedAt), names.length === 0 ? undefined : notInArray(nodes.name, names)));
    await sumPools(tx);
  });
}

/** Before any machine's row, and in one order: who changes machines changes the sums of their pools as well. */
export async function lockPools(tx: Tx): Promise<void> {
  await tx.sql.select({ name: nodePools.name }).from(nodePools).orderBy(nodePools.name).for("update");
}

async function ensurePools(tx: Tx, names: readonly string[]): Promise<void> {
  const unique = [...new Set(names)].sort();
  if (unique.length === 0) return;
  const { cpuReservePercent, memoryReservePercent } = tx.ctx.config;
  await tx.sql
    .insert(nodePools)
    .values(unique.map((name) => ({ name, cpuReservePercent, memoryReservePercent })))
    .onConflictDoUpdate({ target: nodePools.name, set: { cpuReservePercent, memoryReservePercent } });
}

/**
 * Ready, schedulable workers carry customers' apps; one that an operator has cordoned counts no more at once. A pool
 * without any worker, as on a single machine, is carried by its control plane.
 */
export async function sumPools(tx: Tx): Promise<void> {
  const hasWorker = sql`exists (
    select 1 from nodes other where other.pool = ${nodePools.name} and other.role = 'worker' and other.removed_at is null)`;
  const carrying = sql`(${nodes.role} = 'worker' or not ${hasWorker}) and ${nodes.isReady} and ${nodes.isSchedulable} and ${nodes.removedAt} is null
    and ${nodes.desiredSchedulable} is distinct from false`;
  const sums = await tx.sql
    .select({
      pool: nodePools.name,
      cpu: sql<number>`coalesce(sum(${nodes.allocatableCpuMillis}) filter (where ${carrying}), 0)`.mapWith(Number),
      memory: sql<number>`coalesce(sum(${nodes.allocatableMemoryBytes}) filter (where ${carrying}), 0)`.mapWith(Number),
      largestCpu: sql<number>`coalesce(max(${nodes.allocatableCpuMillis}) filter (where ${carrying}), 0)`.mapWith(
        Number,
      ),
      largestMemory: sql<number>`coalesce(max(${nodes.allocatableMemoryBytes}) filter (where ${carrying}), 0)`.mapWith(
        Number,
      ),
    })
    .from(nodePools)
    .leftJoin(nodes, eq(nodes.pool, nodePools.name))
    .groupBy(nodePools.name)
    .orderBy(nodePools.name);
  for (const { pool, cpu, memory, largestCpu, largestMemory } of sums) {
    await tx.sql
      .update(nodePools)
      .set({
        allocatableCpuMillis: cpu,
        allocatableMemoryBytes: memory,
        largestCpuMillis: largestCpu,
        largestMemoryBytes: largestMemory,
      })
      .where(eq(nodePools.name, pool));
  }
}
