import { instanceChanges } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { getInvoiceRow, refundInvoice, voidInvoice } from "../billing/index.ts";
import { changeHold, type Demand, findHold } from "../capacity/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type EventType, record } from "../events/index.ts";
import { type InstanceRow, resolveInstance } from "../instances/index.ts";
import { notifyOwner } from "../notifications/index.ts";
import {
  type ChangeReason,
  type ChangeRow,
  changeReasons,
  type ChangeShape,
  type ChangeStatus,
  changeTransitions,
  isUnderWay,
} from "./change.ts";
import { findUnderWay } from "./lock-change.ts";

/** The one writer of a change's status; the caller holds its row. */
export async function updateChange(
  tx: Tx,
  change: ChangeRow,
  status: ChangeStatus,
  values: Partial<Omit<ChangeRow, "id" | "organizationId" | "status">> = {},
): Promise<ChangeRow> {
  const allowed: readonly ChangeStatus[] = changeTransitions[change.status];
  assert(allowed.includes(status), `a change goes from ${change.status} to ${status}`);
  const ended = changeTransitions[status].length === 0 ? { endedAt: tx.now } : {};
  const [row] = await tx.sql
    .update(instanceChanges)
    .set({ ...values, ...ended, status })
    .where(and(eq(instanceChanges.id, change.id), eq(instanceChanges.status, change.status)))
    .returning();
  assert(row !== undefined, "the locked change is as it was read");
  return row;
}

export function recordChangeEvent(
  tx: Tx,
  type: Extract<EventType, `change.${string}`>,
  change: ChangeRow,
  data: Readonly<Record<string, unknown>> = {},
): void {
  record(tx, {
    type,
    instanceId: change.instanceId,
    subscriptionId: change.subscriptionId,
    subject: { type: "change", id: change.id },
    data: { changeId: change.id, kind: change.kind, ...data },
  });
}

const endEvents = { expired: "change.expired", refused: "change.refused", failed: "change.failed" } as const;

/** It comes to nothing: money is taken back or returned, and so is the room, as far as nothing runs in it. */
export async function endChange(
  tx: Tx,
  change: ChangeRow,
  instance: InstanceRow,
  end: {
    readonly status: "expired" | "refused" | "failed";
    readonly reason: ChangeReason;
    readonly values?: Partial<ChangeRow>;
  },
): Promise<void> {
  const { status, reason, values = {} } = end;
  const isRefunded = change.invoiceId !== null && (await closeInvoice(tx, change.invoiceId, reason));
  await updateChange(tx, change, status, { ...values, reason });
  recordChangeEvent(tx, endEvents[status], change, { reason });
  if ((isUnderWay(change.status) || change.approvesItself) && reason !== "SUPERSEDED") {
    const { id: instanceId, name: appName } = instance;
    const dedupeKey = `change_not_made:${change.id}`;
    await notifyOwner(tx, { kind: "change_not_made", dedupeKey, data: { appName, instanceId, isRefunded } });
  }
  // What was only planned held nothing, and the room may be held for another one. What was approved and never begun runs as
  // before, so its room is free at once.
  if (change.status === "executing") await settleRoom(tx, instance);
  else if (isUnderWay(change.status)) await giveRoomBack(tx, instance);
}

/**
 * What was asked for and not paid is not asked for any more; what was paid goes back, and then this is true. An app that was
 * ended keeps what it was paid for, as any period that runs.
 */
async function closeInvoice(tx: Tx, invoiceId: string, reason: ChangeReason): Promise<boolean> {
  const invoice = await getInvoiceRow(tx, invoiceId);
  if (invoice.status === "open") await voidInvoice(tx, invoice, changeReasons[reason]);
  if (invoice.status !== "paid" || reason === "SUPERSEDED") return false;
  await refundInvoice(tx, invoice, changeReasons[reason]);
  return invoice.totalMinor > 0n;
}

/** Room for the larger of what is held and what will be, until the new shape runs. */
export async function holdForBoth(tx: Tx, instance: InstanceRow, after: ChangeShape): Promise<void> {
  const [now, then] = [(await findHold(tx, instance.id)) ?? demandOf(instance), demandOf(after)];
  const demand = {
    cpuMillis: Math.max(now.cpuMillis, then.cpuMillis),
    memoryBytes: Math.max(now.memoryBytes, then.memoryBytes),
  };
  await changeHold(tx, {
    instanceId: instance.id,
    demand,
    nodeName: await boundNode(tx, instance),
    isProvisional: true,
  });
}

/** Level, not edge: an app at rest that nothing is under way with holds what it is allowed to use, and no more. */
export async function settleRoom(tx: Tx, instance: InstanceRow): Promise<void> {
  if (!instance.isSettled || (await findUnderWay(tx, instance.id)) !== null) return;
  await giveRoomBack(tx, instance);
}

async function giveRoomBack(tx: Tx, instance: InstanceRow): Promise<void> {
  const held = await findHold(tx, instance.id);
  const demand = demandOf(instance);
  if (held === null || held.cpuMillis < demand.cpuMillis || held.memoryBytes < demand.memoryBytes) return;
  await changeHold(tx, { instanceId: instance.id, demand, nodeName: null, isProvisional: false });
}

export function demandOf({ limits }: Pick<ChangeShape, "limits">): Demand {
  return { cpuMillis: limits.cpuRequestMillis, memoryBytes: limits.memoryRequestBytes };
}

/** Where its volume lies, if it has any: there it has to stay. */
export async function boundNode(tx: Tx, instance: InstanceRow): Promise<string | null> {
  const { workloads } = await resolveInstance(tx, instance);
  return workloads.some(({ volumes }) => volumes.length > 0) ? instance.nodeName : null;
}
