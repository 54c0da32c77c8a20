import { instanceProbes, instances } from "@sewa/db/schema";
import { and, count, eq, isNotNull } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { isWanted } from "./list-probe-targets.ts";

/** Apps of the house that were reported as down, have not come back and should run. For the gauge. */
export async function countInstancesDown(ctx: CoreContext): Promise<number> {
  const [row] = await ctx.db.drizzle
    .select({ down: count() })
    .from(instanceProbes)
    .innerJoin(instances, eq(instances.id, instanceProbes.instanceId))
    .where(and(isNotNull(instanceProbes.downSince), isWanted));
  return row?.down ?? 0;
}
