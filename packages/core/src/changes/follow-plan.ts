import { instanceChanges, subscriptions } from "@sewa/db/schema";
import { and, eq, inArray } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";
import { findOpenOperation } from "../operations/index.ts";
import type { LockedApp } from "./lock-change.ts";
import { insertChange } from "./plan-change.ts";
import { prepareChange } from "./prepare-change.ts";

/** If the app did not come up in its new shape, it is tried again after this. */
const retryMs = dayMs;

const open = ["planning", "planned", "awaiting_payment", "approved", "executing"] as const;

/** Level, not edge: an app whose plan has begun with a period takes its shape, for nothing, as soon as nothing else is done with it. */
export async function followPlan(tx: Tx, app: LockedApp): Promise<void> {
  const { subscription, instance } = app;
  const now = tx.ctx.clock.now();
  if (subscription.reshapeDueAt === null || (await hasOpenChange(tx, instance.id))) return;
  if (instance.planId === subscription.planId) return setReshapeDueAt(tx, app, null);
  if (subscription.status !== "active" || instance.readyAt === null || instance.desiredPhase === "absent") return;
  if (subscription.reshapeDueAt > now || (await findOpenOperation(tx, instance.id)) !== null) return;
  const request = { kind: "resize", planId: subscription.planId } as const;
  const prepared = await prepareChange(tx, app, request, { at: tx.now, keepsStorage: false });
  await insertChange(tx, app, request, prepared, { at: tx.now, approvesItself: true });
  await setReshapeDueAt(tx, app, addMs(now, retryMs));
}

async function setReshapeDueAt(tx: Tx, { subscription }: LockedApp, reshapeDueAt: Date | null): Promise<void> {
  await tx.sql.update(subscriptions).set({ reshapeDueAt }).where(eq(subscriptions.id, subscription.id));
}

async function hasOpenChange(tx: Tx, instanceId: string): Promise<boolean> {
  const rows = await tx.sql
    .select({ id: instanceChanges.id })
    .from(instanceChanges)
    .where(
      and(
        eq(instanceChanges.organizationId, organizationOf(tx)),
        eq(instanceChanges.instanceId, instanceId),
        inArray(instanceChanges.status, [...open]),
        eq(instanceChanges.approvesItself, true),
      ),
    )
    .limit(1);
  return rows.length > 0;
}
