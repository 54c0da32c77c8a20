import { instances } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { releaseCapacity } from "../capacity/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { notifyOrganization, record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import {
  endOperation,
  findOpenOperation,
  openOperation,
  type OperationKind,
  type OperationRow,
} from "../operations/index.ts";
import type { DesiredPhase } from "./derive-phase.ts";
import { deriveOperationKind, type InstanceRow } from "./instance.ts";
import { resolveInstance } from "./resolve-instance.ts";

export interface DesiredChange {
  readonly phase: DesiredPhase;
  /** Stops because of money: the room is given back once the pods are gone. */
  readonly releasesCapacity?: boolean;
  /** New pods, although the phase stays. */
  readonly restart?: boolean;
}

/**
 * The one writer of what is wanted of an instance; the caller holds its row. Nothing happens when it is wanted already.
 * Otherwise the generation rises, an operation tells the customer, and the job is added in the same transaction.
 * An operation that is still open is cancelled: what is wanted now goes first. A verb of a customer refuses before.
 */
export async function setDesired(
  tx: Tx,
  instance: InstanceRow,
  change: DesiredChange,
): Promise<{ readonly instance: InstanceRow; readonly operation: OperationRow | null }> {
  const releasesCapacity = change.phase === "running" ? false : (change.releasesCapacity ?? instance.releasesCapacity);
  const restart = change.restart === true;
  if (change.phase === instance.desiredPhase && !restart) {
    return { instance: await keepPhase(tx, instance, releasesCapacity), operation: null };
  }
  const open = await findOpenOperation(tx, instance.id);
  if (open !== null) await endOperation(tx, open, "cancelled", { reason: "SUPERSEDED", message: null });
  const kind: OperationKind | null = restart ? "restart" : deriveOperationKind(instance, change.phase);
  const next = await update(tx, instance.id, {
    desiredPhase: change.phase,
    generation: instance.generation + 1,
    restartRequestedAt: restart ? tx.ctx.clock.now() : instance.restartRequestedAt,
    releasesCapacity,
    isSettled: false,
    unsettledAt: tx.ctx.clock.now(),
    reason: null,
    message: null,
    revision: instance.revision + 1,
  });
  record(tx, {
    type: "instance.desiredChanged",
    instanceId: instance.id,
    subscriptionId: instance.subscriptionId,
    data: { from: instance.desiredPhase, to: change.phase, restart },
  });
  const operation =
    kind === null
      ? null
      : await openOperation(tx, {
          instanceId: instance.id,
          subscriptionId: instance.subscriptionId,
          kind,
          generation: next.generation,
          ...(kind === "provision" ? { deadlineSeconds: await provisionDeadline(tx, instance) } : {}),
        });
  await enqueue(tx, "instance:reconcile", { instanceId: instance.id });
  return { instance: next, operation };
}

/** Already stopped by its customer when the money ran out: the room is given back although nothing has to change. */
async function keepPhase(tx: Tx, instance: InstanceRow, releasesCapacity: boolean): Promise<InstanceRow> {
  if (releasesCapacity === instance.releasesCapacity) return instance;
  if (releasesCapacity && instance.isSettled) await releaseCapacity(tx, instance.id);
  return update(tx, instance.id, { releasesCapacity });
}

async function update(
  tx: Tx,
  instanceId: string,
  values: Partial<typeof instances.$inferInsert>,
): Promise<InstanceRow> {
  const [row] = await tx.sql.update(instances).set(values).where(eq(instances.id, instanceId)).returning();
  assert(row !== undefined, "the locked instance is still there");
  notifyOrganization(tx);
  return row;
}

async function provisionDeadline(tx: Tx, instance: InstanceRow): Promise<number> {
  return (await resolveInstance(tx, instance)).provisionDeadlineSeconds;
}
