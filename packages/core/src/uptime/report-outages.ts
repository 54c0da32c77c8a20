import { instanceProbes, instances } from "@sewa/db/schema";
import { and, eq, isNotNull, isNull, or, sql } from "drizzle-orm";
import { type CoreContext, organizationOf } from "../context.ts";
import { record } from "../events/index.ts";
import { isWanted } from "./list-probe-targets.ts";
import { decideOutage, downAfterMs, type Outage } from "./probe.ts";

const batch = 500;

/**
 * Tells of the apps that went down or came back, each edge once: the row is locked, decided again and changed in the
 * transaction of its event. Found from the table, so what a crash left untold is told by the next run.
 */
export async function reportOutages(ctx: CoreContext): Promise<Readonly<Record<Outage, number>>> {
  const told = { wentDown: 0, cameBack: 0 };
  const errors: unknown[] = [];
  for (const { organizationId, instanceId } of await listUntold(ctx)) {
    try {
      const outage = await report(ctx.forOrganization(organizationId), instanceId);
      if (outage !== null) told[outage] += 1;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} outages could not be reported`);
  return told;
}

async function listUntold(
  ctx: CoreContext,
): Promise<readonly { readonly organizationId: string; readonly instanceId: string }[]> {
  const { downSince, failingSince, isAnswering, probedAt } = instanceProbes;
  const isDown = sql`${probedAt} - ${failingSince} >= ${`${downAfterMs} milliseconds`}::interval`;
  return ctx.db.drizzle
    .select({ organizationId: instanceProbes.organizationId, instanceId: instanceProbes.instanceId })
    .from(instanceProbes)
    .innerJoin(instances, eq(instances.id, instanceProbes.instanceId))
    .where(
      or(
        and(isNull(downSince), isNotNull(failingSince), isDown, isProbedAsWanted),
        and(isNotNull(downSince), isAnswering),
      ),
    )
    .orderBy(instanceProbes.instanceId)
    .limit(batch);
}

/** What was probed is what is still wanted: an app that was stopped since is not down. */
const isProbedAsWanted = and(isWanted, eq(instances.generation, instanceProbes.generation));

async function report(ctx: CoreContext, instanceId: string): Promise<Outage | null> {
  return ctx.transaction(async (tx) => {
    const own = and(eq(instanceProbes.organizationId, organizationOf(tx)), eq(instanceProbes.instanceId, instanceId));
    const [row] = await tx.sql
      .select({ state: instanceProbes, subscriptionId: instances.subscriptionId })
      .from(instanceProbes)
      .innerJoin(instances, eq(instances.id, instanceProbes.instanceId))
      .where(own)
      .for("update", { of: instanceProbes });
    const outage = row === undefined ? null : decideOutage(row.state);
    if (row === undefined || outage === null) return null;
    const { subscriptionId, state } = row;
    const since = (outage === "wentDown" ? state.failingSince : state.downSince)?.toISOString();
    await tx.sql
      .update(instanceProbes)
      .set({ downSince: outage === "wentDown" ? state.failingSince : null })
      .where(own);
    // Times of probes are real, also where the organization lives on a test clock.
    const data = { since, probedAt: state.probedAt.toISOString() };
    record(tx, { type: `instance.${outage}`, instanceId, subscriptionId, data });
    return outage;
  });
}
