import { instances } from "@sewa/db/schema";
import { count, eq, min, ne, or } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import type { DesiredPhase } from "./derive-phase.ts";
import type { ObservedPhase } from "./observation.ts";

/** How many instances look alike, over all organizations. */
export interface InstanceCount {
  readonly desired: DesiredPhase;
  readonly phase: ObservedPhase;
  /** Out of the closed list of reasons; null when there is none. */
  readonly reason: string | null;
  readonly count: number;
  /** How long the one among them that has not been as desired for longest is so; 0 when all are. Real time. */
  readonly oldestUnsettledSeconds: number;
}

/** What is gone, and what was ordered and never begun, counts no more. One pass over the table; worker's role. */
export async function countInstances(ctx: CoreContext): Promise<readonly InstanceCount[]> {
  const rows = await ctx.db.drizzle
    .select({
      desired: instances.desiredPhase,
      phase: instances.observedPhase,
      reason: instances.reason,
      count: count(),
      oldestUnsettledAt: min(instances.unsettledAt),
    })
    .from(instances)
    .where(or(ne(instances.desiredPhase, "absent"), eq(instances.isSettled, false)))
    .groupBy(instances.desiredPhase, instances.observedPhase, instances.reason);
  const now = ctx.clock.now().getTime();
  return rows.map(({ oldestUnsettledAt, ...row }) => ({
    ...row,
    oldestUnsettledSeconds: oldestUnsettledAt === null ? 0 : Math.max(0, (now - oldestUnsettledAt.getTime()) / 1_000),
  }));
}
