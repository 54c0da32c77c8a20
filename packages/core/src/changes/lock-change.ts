import { instanceChanges, instances } from "@sewa/db/schema";
import { and, asc, eq, inArray } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { type InstanceRow, lockInstanceOfSubscription } from "../instances/index.ts";
import { type LoadedSubscription, loadForUpdate } from "../subscriptions/index.ts";
import { type ChangeRow, type ChangeStatus, underWay } from "./change.ts";

/** Everything that a change may change, locked in the order of the house: the subscription, then its instance. */
export interface LockedApp extends LoadedSubscription {
  readonly instance: InstanceRow;
}

/** NOT_FOUND for foreign and invented ids. */
export async function lockApp(tx: Tx, instanceId: string): Promise<LockedApp> {
  const [known] = await tx.sql
    .select({ subscriptionId: instances.subscriptionId })
    .from(instances)
    .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId)));
  if (known === undefined) throw notFound("instance");
  return lockAppOf(tx, known.subscriptionId);
}

export async function lockAppOf(tx: Tx, subscriptionId: string): Promise<LockedApp> {
  const loaded = await loadForUpdate(tx, subscriptionId);
  return { ...loaded, instance: (await lockInstanceOfSubscription(tx, subscriptionId)).instance };
}

export interface LockedChange {
  readonly app: LockedApp;
  readonly change: ChangeRow;
}

/** The change and its app, which is locked first. */
export async function lockChange(tx: Tx, changeId: string): Promise<LockedChange> {
  const { instanceId } = await getChangeRow(tx, changeId);
  const app = await lockApp(tx, instanceId);
  const [change] = await tx.sql.select().from(instanceChanges).where(own(tx, changeId)).for("update");
  if (change === undefined) throw notFound("change");
  return { app, change };
}

export async function getChangeRow(tx: Tx, changeId: string): Promise<ChangeRow> {
  const [change] = await tx.sql.select().from(instanceChanges).where(own(tx, changeId));
  if (change === undefined) throw notFound("change");
  return change;
}

/** The one change of an app that has been approved and has not ended; the caller has locked the app. */
export async function findUnderWay(tx: Tx, instanceId: string): Promise<ChangeRow | null> {
  const [change] = await tx.sql
    .select()
    .from(instanceChanges)
    .where(ofApp(tx, instanceId, underWay))
    .for("update");
  return change ?? null;
}

const open = ["planning", ...underWay, "planned"] as const satisfies readonly ChangeStatus[];

/** Those of an app that have not ended, the earliest first. */
export async function listOpenChanges(tx: Tx, instanceId: string): Promise<readonly ChangeRow[]> {
  return tx.sql
    .select()
    .from(instanceChanges)
    .where(ofApp(tx, instanceId, open))
    .orderBy(asc(instanceChanges.id));
}

function ofApp(tx: Tx, instanceId: string, statuses: readonly ChangeStatus[]) {
  return and(
    eq(instanceChanges.organizationId, organizationOf(tx)),
    eq(instanceChanges.instanceId, instanceId),
    inArray(instanceChanges.status, [...statuses]),
  );
}

function own(tx: Tx, changeId: string) {
  return and(eq(instanceChanges.organizationId, organizationOf(tx)), eq(instanceChanges.id, changeId));
}
