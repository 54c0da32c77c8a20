import { instanceHolds, instances, subscriptions } from "@sewa/db/schema";
import { and, count, eq, isNull } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { derivePhase, type DesiredPhase, type SubscriptionStatus } from "./derive-phase.ts";
import type { InstanceRow } from "./instance.ts";

export interface LockedInstance {
  readonly instance: InstanceRow;
  readonly subscriptionStatus: SubscriptionStatus;
  readonly isCapped: boolean;
  readonly standingHolds: number;
}

/** Locks in the order of the house: the subscription first, then its instance. NOT_FOUND for foreign and invented ids. */
export async function lockInstance(tx: Tx, instanceId: string): Promise<LockedInstance> {
  const own = and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId));
  const [known] = await tx.sql.select({ subscriptionId: instances.subscriptionId }).from(instances).where(own);
  if (known === undefined) throw notFound("instance");
  const [subscription] = await tx.sql
    .select({ status: subscriptions.status, cappedAt: subscriptions.cappedAt })
    .from(subscriptions)
    .where(eq(subscriptions.id, known.subscriptionId))
    .for("update");
  const [instance] = await tx.sql.select().from(instances).where(own).for("update");
  assert(subscription !== undefined && instance !== undefined, "rows that are never deleted are still there");
  const { status: subscriptionStatus, cappedAt } = subscription;
  const standingHolds = await countHolds(tx, instanceId);
  return { instance, subscriptionStatus, isCapped: cappedAt !== null, standingHolds };
}

/** The same, found from the subscription, whose row the caller has locked. */
export async function lockInstanceOfSubscription(tx: Tx, subscriptionId: string): Promise<LockedInstance> {
  const [row] = await tx.sql
    .select({ instance: instances, subscriptionStatus: subscriptions.status, cappedAt: subscriptions.cappedAt })
    .from(instances)
    .innerJoin(subscriptions, eq(subscriptions.id, instances.subscriptionId))
    .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.subscriptionId, subscriptionId)))
    .for("update", { of: instances });
  assert(row !== undefined, "every subscription has an instance");
  const { instance, subscriptionStatus, cappedAt } = row;
  const standingHolds = await countHolds(tx, instance.id);
  return { instance, subscriptionStatus, isCapped: cappedAt !== null, standingHolds };
}

export function wantedPhase({ instance, subscriptionStatus, isCapped, standingHolds }: LockedInstance): DesiredPhase {
  return derivePhase({
    subscription: { status: subscriptionStatus, isCapped },
    requestedPhase: instance.requestedPhase,
    standingHolds,
  });
}

async function countHolds(tx: Tx, instanceId: string): Promise<number> {
  const [row] = await tx.sql
    .select({ holds: count() })
    .from(instanceHolds)
    .where(and(eq(instanceHolds.instanceId, instanceId), isNull(instanceHolds.liftedAt)));
  return row?.holds ?? 0;
}
