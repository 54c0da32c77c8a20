import type { Tx } from "../context.ts";
import { assert, unreachable } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { reshapeInstance } from "../instances/index.ts";
import { findOpenOperation } from "../operations/index.ts";
import { cancelSubscription, changeTerms } from "../subscriptions/index.ts";
import { type ChangeRow, changesTerms, shapesOf } from "./change.ts";
import type { LockedApp } from "./lock-change.ts";
import { recordChangeEvent, updateChange } from "./update-change.ts";

/** From now on the app is wanted in its new shape, at its new price: one commit. The world was as planned a moment ago. */
export async function beginChange(tx: Tx, app: LockedApp, change: ChangeRow): Promise<void> {
  const operationId = await carryOut(tx, app, change);
  await updateChange(tx, change, "executing", { operationId });
  recordChangeEvent(tx, "change.started", change, { operationId });
  // What never was in the cluster is gone at once, and nobody will tell.
  if (operationId === null) await enqueue(tx, "change:reconcile", { instanceId: change.instanceId });
}

async function carryOut(tx: Tx, app: LockedApp, change: ChangeRow): Promise<string | null> {
  const { after } = shapesOf(change);
  switch (change.kind) {
    case "deprovision":
      // An instance ends only through its subscription, which returns what was paid for a period that has not begun.
      await cancelSubscription(tx, app, change.approvedBy?.startsWith("operator:") === true ? "operator" : "customer");
      return (await findOpenOperation(tx, change.instanceId))?.id ?? null;
    case "resize":
    case "update":
    case "upgrade": {
      assert(after !== null, "only a removal has no shape");
      const { gracePeriodDays, pastDueDays, planId, priceId, items } = after;
      if (changesTerms(change))
        await changeTerms(
          tx,
          app,
          { planId, priceId, amountMinor: change.amountAfterMinor, items, gracePeriodDays, pastDueDays },
          { isTrial: true },
        );
      const { operation } = await reshapeInstance(tx, app.instance, after, change.kind);
      return operation.id;
    }
    default:
      return unreachable(change.kind);
  }
}
