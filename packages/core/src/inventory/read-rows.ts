import { capacityHolds, instanceHolds, instanceLeases, instances, operations, subscriptions } from "@sewa/db/schema";
import { eq, inArray, isNull, or, type SQL, sql } from "drizzle-orm";
import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import type { InventoryRow } from "./inventory-row.ts";

/** After the end of an operation that did not settle the instance, so long is for the sweep and the watch. */
const fluxMs = 5 * minuteMs;
/** Ids of one statement. */
const batch = 1_000;

const columns = {
  organizationId: instances.organizationId,
  subscriptionId: instances.subscriptionId,
  instanceId: instances.id,
  desiredPhase: instances.desiredPhase,
  requestedPhase: instances.requestedPhase,
  isSettled: instances.isSettled,
  generation: instances.generation,
  removedAt: instances.removedAt,
  releasesCapacity: instances.releasesCapacity,
  status: subscriptions.status,
  cappedAt: subscriptions.cappedAt,
  amountMinor: subscriptions.amountMinor,
  currency: subscriptions.currency,
  interval: subscriptions.interval,
  currentPeriodStart: subscriptions.currentPeriodStart,
  currentPeriodEnd: subscriptions.currentPeriodEnd,
  purgedAt: subscriptions.purgedAt,
  heldInstance: capacityHolds.instanceId,
  leaseEpoch: instanceLeases.epoch,
  isLeased: sql<boolean>`coalesce(${instanceLeases.leasedUntil} > now(), false)`,
  standingHolds: sql<number>`(
    select count(*)::int from ${instanceHolds} h where h.instance_id = ${instances.id} and h.lifted_at is null)`,
  hasOpenOperation: sql<boolean>`exists (
    select 1 from ${operations} o where o.instance_id = ${instances.id} and o.status in ('queued', 'running'))`,
} as const;

/**
 * Instances of all organizations that may have something in the cluster, or hold room, by id; and those of `ids`, whatever
 * became of them. One statement each, so that a row is of one moment. Worker's role.
 */
export async function readInventoryRows(
  ctx: CoreContext,
  ids: readonly string[] = [],
): Promise<ReadonlyMap<string, InventoryRow>> {
  const rows = new Map<string, InventoryRow>();
  const alive = or(isNull(instances.removedAt), sql`${capacityHolds.instanceId} is not null`);
  for (const row of await read(ctx, alive)) rows.set(row.instanceId, row);
  const others = ids.filter((id) => !rows.has(id));
  for (let start = 0; start < others.length; start += batch) {
    for (const row of await read(ctx, inArray(instances.id, others.slice(start, start + batch))))
      rows.set(row.instanceId, row);
  }
  return rows;
}

async function read(ctx: CoreContext, where: SQL | undefined): Promise<readonly InventoryRow[]> {
  const since = addMs(ctx.clock.now(), -fluxMs).toISOString();
  const rows = await ctx.db.drizzle
    .select({
      ...columns,
      wasJustOperated: sql<boolean>`exists (
        select 1 from ${operations} o where o.instance_id = ${instances.id} and o.finished_at > ${since}::timestamptz)`,
    })
    .from(instances)
    .innerJoin(subscriptions, eq(subscriptions.id, instances.subscriptionId))
    .leftJoin(instanceLeases, eq(instanceLeases.instanceId, instances.id))
    .leftJoin(capacityHolds, eq(capacityHolds.instanceId, instances.id))
    .where(where);
  return rows.map((row) => {
    const hasHold = row.heldInstance !== null;
    const isRemoved = row.removedAt !== null;
    return {
      organizationId: row.organizationId,
      subscriptionId: row.subscriptionId,
      instanceId: row.instanceId,
      desiredPhase: row.desiredPhase,
      requestedPhase: row.requestedPhase,
      standingHolds: row.standingHolds,
      isSettled: row.isSettled,
      isRemoved,
      inFlux: row.hasOpenOperation || row.isLeased || (!row.isSettled && row.wasJustOperated),
      hasMoved: false,
      releasesCapacity: row.releasesCapacity,
      hasHold,
      subscription: {
        status: row.status,
        isCapped: row.cappedAt !== null,
        amount: { amountMinor: row.amountMinor, currency: row.currency },
        interval: row.interval,
        currentPeriodStart: row.currentPeriodStart,
        currentPeriodEnd: row.currentPeriodEnd,
        isPurged: row.purgedAt !== null,
      },
      // Whoever works on an instance takes its lease, which raises the epoch.
      mark: [
        row.generation,
        row.leaseEpoch,
        row.desiredPhase,
        row.isSettled,
        isRemoved,
        row.status,
        row.cappedAt?.getTime(),
        hasHold,
      ].join(" "),
    };
  });
}
