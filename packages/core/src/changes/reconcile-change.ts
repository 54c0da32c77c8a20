import { instanceChanges, instances, operations } from "@sewa/db/schema";
import { and, eq, inArray, lte, ne, or } from "drizzle-orm";
import { isParked } from "../accounts/index.ts";
import { getInvoiceRow } from "../billing/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, unreachable } from "../errors.ts";
import { reshapeInstance } from "../instances/index.ts";
import { findOpenOperation, type OperationRow } from "../operations/index.ts";
import { changeTerms, settleTerms } from "../subscriptions/index.ts";
import { noteUsageTerms } from "../usage/index.ts";
import { type ChangeAction, type ChangeRow, changesTerms, decideChange, shapesOf } from "./change.ts";
import { approvePaid } from "./execute-plan.ts";
import { followPlan } from "./follow-plan.ts";
import { listOpenChanges, lockApp, lockChange, type LockedApp } from "./lock-change.ts";
import { endChange, recordChangeEvent, settleRoom, updateChange } from "./update-change.ts";

/** Does what time, money and the operation ask of the changes of an app, a transaction for each. Any time, any number of times. */
export async function reconcileChange(ctx: CoreContext, instanceId: string): Promise<void> {
  const [known] = await ctx.db.drizzle
    .select({ organizationId: instances.organizationId })
    .from(instances)
    .where(eq(instances.id, instanceId));
  if (known === undefined) return;
  const bound = ctx.forOrganization(known.organizationId);
  for (const { id } of await bound.transaction((tx) => listOpenChanges(tx, instanceId))) {
    await bound.transaction((tx) => follow(tx, id));
  }
  await bound.transaction(async (tx) => {
    const app = await lockApp(tx, instanceId);
    if (!app.instance.releasesCapacity) await settleRoom(tx, app.instance);
    await followPlan(tx, app);
  });
}

/** Ends what the organization's time has made due. For test clocks; the sweep does it for all others. */
export async function expireChanges(ctx: CoreContext): Promise<void> {
  const due = await ctx.transaction((tx) =>
    tx.sql
      .selectDistinct({ instanceId: instanceChanges.instanceId })
      .from(instanceChanges)
      .where(
        and(
          eq(instanceChanges.organizationId, organizationOf(tx)),
          inArray(instanceChanges.status, ["planned", "awaiting_payment"]),
          lte(instanceChanges.expiresAt, tx.now),
        ),
      ),
  );
  for (const { instanceId } of due) await reconcileChange(ctx, instanceId);
}

/**
 * Whether something is still looked at or carried out: time must not pass it by. Removals are followed by their operation.
 * While the organization is parked all of it waits, and time does not wait with it.
 */
export async function hasChangeInWork(tx: Tx): Promise<boolean> {
  if (await isParked(tx)) return false;
  const rows = await tx.sql
    .select({ id: instanceChanges.id })
    .from(instanceChanges)
    .where(
      and(
        eq(instanceChanges.organizationId, organizationOf(tx)),
        or(
          inArray(instanceChanges.status, ["planning", "approved"]),
          and(eq(instanceChanges.status, "executing"), ne(instanceChanges.kind, "deprovision")),
        ),
      ),
    )
    .limit(1);
  return rows.length > 0;
}

async function follow(tx: Tx, changeId: string): Promise<void> {
  const { app, change } = await lockChange(tx, changeId);
  // What has begun ends in the world; what it means for money waits.
  if (app.parking.parkedAt !== null) return;
  const { subscription, instance } = app;
  const invoice = change.invoiceId === null ? null : await getInvoiceRow(tx, change.invoiceId);
  const operation = change.operationId === null ? null : await getOperation(tx, change.operationId);
  const isBusy = (await findOpenOperation(tx, change.instanceId)) !== null;
  const facts = { change, subscription, invoice, operation, instance: { ...instance, isBusy } };
  const action = decideChange(facts, tx.now, tx.ctx.clock.now());
  if (action !== null) await apply(tx, app, change, action);
}

async function apply(tx: Tx, app: LockedApp, change: ChangeRow, action: ChangeAction): Promise<void> {
  switch (action.type) {
    case "approve":
      return approvePaid(tx, change);
    case "finish":
      await updateChange(tx, change, "executed");
      await settleTerms(tx, app);
      // Hours that begin while the new shape is on trial are charged as before, whatever becomes of it.
      await noteUsageTerms(tx, change.subscriptionId);
      return recordChangeEvent(tx, "change.executed", change);
    case "restore":
      return restore(tx, app, change);
    case "end":
      // Another one may be carried out beside a plan that ends.
      if (change.status === "executing") await settleTerms(tx, app);
      return endChange(tx, change, app.instance, action);
    default:
      return unreachable(action);
  }
}

/**
 * Back to what it was, at the price that it had. The room stays as large as it is until the former shape runs again, and
 * the volumes for good: no cluster makes them smaller.
 */
async function restore(tx: Tx, app: LockedApp, change: ChangeRow): Promise<void> {
  const { before } = shapesOf(change);
  const { instance } = app;
  assert(change.kind !== "deprovision", "a removal is never undone");
  if (instance.desiredPhase !== "absent") {
    if (changesTerms(change)) {
      const { planId, priceId, items, gracePeriodDays, pastDueDays } = before;
      const amountMinor = change.amountBeforeMinor;
      const terms = { planId, priceId, amountMinor, items, gracePeriodDays, pastDueDays };
      await changeTerms(tx, app, terms, { isTrial: false });
    }
    const limits = { ...before.limits, storageBytes: instance.limits.storageBytes };
    await reshapeInstance(tx, instance, { ...before, limits }, change.kind);
  }
  await endChange(tx, change, { ...instance, isSettled: false }, { status: "failed", reason: "OPERATION_FAILED" });
}

async function getOperation(tx: Tx, operationId: string): Promise<Pick<OperationRow, "status"> | null> {
  const [row] = await tx.sql
    .select({ status: operations.status })
    .from(operations)
    .where(and(eq(operations.organizationId, organizationOf(tx)), eq(operations.id, operationId)));
  return row ?? null;
}
