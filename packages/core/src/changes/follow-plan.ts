import { subscriptions } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { findOpenOperation } from "../operations/index.ts";
import { isUnderWay } from "./change.ts";
import { listOpenChanges, type LockedApp } from "./lock-change.ts";
import { insertChange } from "./plan-change.ts";
import { prepareChange } from "./prepare-change.ts";

/** If the app did not come up in its new shape, it is tried again after this. */
const retryMs = dayMs;

/** Level, not edge: an app whose plan has begun with a period takes its shape, for nothing, as soon as nothing else is done with it. */
export async function followPlan(tx: Tx, app: LockedApp): Promise<void> {
  const { subscription, instance } = app;
  const now = tx.ctx.clock.now();
  if (subscription.reshapeDueAt === null) return;
  // A plan that somebody only looks at is not in the way.
  const others = await listOpenChanges(tx, instance.id);
  if (others.some(({ status, approvesItself }) => approvesItself || isUnderWay(status))) return;
  if (instance.planId === subscription.planId) return setReshapeDueAt(tx, app, null);
  if (subscription.status !== "active" || instance.readyAt === null || instance.desiredPhase === "absent") return;
  if (subscription.reshapeDueAt > now || (await findOpenOperation(tx, instance.id)) !== null) return;
  const request = { kind: "resize", planId: subscription.planId } as const;
  await setReshapeDueAt(tx, app, addMs(now, retryMs));
  const prepared = await prepareChange(tx, app, request, { at: tx.now, keepsStorage: false }).catch(refusedForNow);
  if (prepared !== null) await insertChange(tx, app, request, prepared, { at: tx.now, approvesItself: true });
}

/** What cannot be now may be later; the app keeps what it has. */
function refusedForNow(error: unknown): null {
  if (error instanceof DomainError) return null;
  throw error;
}

async function setReshapeDueAt(tx: Tx, { subscription }: LockedApp, reshapeDueAt: Date | null): Promise<void> {
  await tx.sql.update(subscriptions).set({ reshapeDueAt }).where(eq(subscriptions.id, subscription.id));
}
