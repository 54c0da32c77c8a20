import { capacityHolds, nodePools } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import type { Demand } from "./capacity.ts";
import { lockPools } from "./record-nodes.ts";

/** Writes down the room of an app that runs without a promise of it. Not refused: it takes the room whether it fits or not. */
export async function restoreHold(
  tx: Tx,
  input: { readonly instanceId: string; readonly pool: string; readonly demand: Demand },
): Promise<void> {
  const { instanceId, pool, demand } = input;
  await lockPools(tx);
  await tx.sql
    .insert(capacityHolds)
    .values({ instanceId, organizationId: organizationOf(tx), pool, ...demand })
    .onConflictDoNothing();
  await recountPools(tx);
}

/** Takes back a promise that nobody needs any more. */
export async function dropHold(tx: Tx, instanceId: string): Promise<void> {
  await lockPools(tx);
  await tx.sql
    .delete(capacityHolds)
    .where(and(eq(capacityHolds.organizationId, organizationOf(tx)), eq(capacityHolds.instanceId, instanceId)));
  await recountPools(tx);
}

/** A hold that came or went without its pool's sums has left them wrong, so they are counted from the holds. */
async function recountPools(tx: Tx): Promise<void> {
  const holds = sql`from ${capacityHolds} where ${capacityHolds.pool} = ${nodePools.name}`;
  await tx.sql.update(nodePools).set({
    heldCpuMillis: sql`(select coalesce(sum(${capacityHolds.cpuMillis}), 0) ${holds})`,
    heldMemoryBytes: sql`(select coalesce(sum(${capacityHolds.memoryBytes}), 0) ${holds})`,
  });
}
