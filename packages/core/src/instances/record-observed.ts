import { instances, instanceSecrets } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { releaseCapacity } from "../capacity/index.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { listLastEvents, notifyOrganization, record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import { canonicalJson } from "../json.ts";
import { notifyOwner } from "../notifications/index.ts";
import {
  countAttempt,
  endOperation,
  findOpenOperation,
  isReshaping,
  type OperationRow,
  progressOperation,
  stepsOf,
} from "../operations/index.ts";
import {
  countRestarts,
  deriveAddress,
  type InstanceRow,
  isFlapping,
  isPhaseNews,
  isSettled,
  podsOf,
  toldTurns,
} from "./instance.ts";
import { holdsLease, type InstanceLease } from "./lease.ts";
import type { Observation } from "./observation.ts";

export interface Recorded {
  /** Nothing is left to do for this generation. */
  readonly settled: boolean;
  /** How often containers have started again since the last look; each restart is told once. */
  readonly restarts: number;
}

/**
 * The one writer of what is. A look that failed leaves `unknown`, never the old value. A run that began on an older
 * generation writes what it saw but settles nothing: something else is wanted by now.
 */
export async function recordObserved(
  ctx: CoreContext,
  lease: InstanceLease,
  generation: number,
  observation: Observation,
): Promise<Recorded> {
  return ctx.transaction(async (tx) => {
    if (!(await holdsLease(tx, lease))) return { settled: false, restarts: 0 };
    const [before] = await tx.sql
      .select()
      .from(instances)
      .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, lease.instanceId)))
      .for("update");
    assert(before !== undefined, "an instance with a lease exists");
    const operation = await findOpenOperation(tx, before.id);
    const settled =
      generation === before.generation &&
      isSettled(before.desiredPhase, observation) &&
      !waitsForVolume(operation, observation);
    const operationChanged = await recordOperation(tx, operation, generation, observation, settled);
    const after = await writeObservation(tx, before, generation, observation, settled, operationChanged);
    if (settled) await settle(tx, before, after);
    return { settled, restarts: countRestarts(podsOf(before), observation.pods) };
  });
}

async function recordOperation(
  tx: Tx,
  operation: OperationRow | null,
  generation: number,
  observation: Observation,
  settled: boolean,
): Promise<boolean> {
  if (operation === null || operation.generation !== generation) return false;
  if (observation.existence === "unknown") await countAttempt(tx, operation);
  const note = noteOf(operation, observation);
  const changed = await progressOperation(tx, operation, observation.steps, note);
  if (!settled) return changed;
  const current = changed ? await findOpenOperation(tx, operation.instanceId) : operation;
  assert(current !== null, "the locked operation is still open");
  await endOperation(tx, current, "succeeded");
  if (isReshaping(current.kind) || current.kind === "deprovision")
    await enqueue(tx, "change:reconcile", { instanceId: operation.instanceId });
  return true;
}

/** More storage was asked for, and the cluster does not say yet that it is there. The app runs on with what it has. */
function waitsForVolume(operation: OperationRow | null, { steps }: Observation): boolean {
  if (operation === null || !isReshaping(operation.kind)) return false;
  return stepsOf(operation).some(({ key, status }) => key === "volume" && status !== "done") && steps.volume !== "done";
}

type Note = Pick<Observation, "reason" | "message">;

/** What keeps it: the app itself, or the volume that it waits for. */
function noteOf(operation: OperationRow, observation: Observation): Note {
  const { reason, message, conditions } = observation;
  const volume = conditions.find(({ type }) => type === "VolumeBound");
  if (reason === null && volume !== undefined && waitsForVolume(operation, observation))
    return { reason: volume.reason, message: volume.message };
  return { reason, message };
}

async function writeObservation(
  tx: Tx,
  before: InstanceRow,
  generation: number,
  observation: Observation,
  settled: boolean,
  operationChanged: boolean,
): Promise<InstanceRow> {
  const facts = {
    existence: observation.existence,
    observedPhase: observation.phase,
    observedGeneration: Math.max(generation, before.observedGeneration),
    reason: observation.reason,
    message: observation.message,
    pods: observation.pods as unknown as InstanceRow["pods"],
    conditions: observation.conditions as unknown as InstanceRow["conditions"],
    nodeName: observation.nodeName,
    isSettled: settled,
    ownerClaimedAt: before.ownerClaimedAt ?? (observation.ownerClaimed ? tx.ctx.clock.now() : null),
    // What has failed for good does not become ready while it waits to be taken back.
    readyAt:
      before.readyAt ??
      (settled && before.desiredPhase === "running" && before.provisioningFailedAt === null ? tx.now : null),
    // An order that is not paid yet wants nothing either, and has everything before it.
    removedAt:
      before.removedAt ?? (settled && before.desiredPhase === "absent" && before.generation > 1 ? tx.now : null),
  };
  const visible = operationChanged || canonicalJson(pick(before, facts)) !== canonicalJson(facts);
  const [after] = await tx.sql
    .update(instances)
    .set({
      ...facts,
      observedAt: tx.ctx.clock.now(),
      unsettledAt: settled ? null : (before.unsettledAt ?? tx.ctx.clock.now()),
      ...(visible ? { revision: before.revision + 1 } : {}),
    })
    .where(eq(instances.id, before.id))
    .returning();
  assert(after !== undefined, "the locked instance is still there");
  if (visible) notifyOrganization(tx);
  await tellPhase(tx, before, after);
  return after;
}

/** Live status shows each phase at once; the log of events tells what lasts. */
async function tellPhase(tx: Tx, before: InstanceRow, after: InstanceRow): Promise<void> {
  const hasChanged = after.observedPhase !== before.observedPhase;
  // What was kept back before is told at a later look, when nothing changes any more.
  if (!hasChanged && !isFlapping(after.observedPhase)) return;
  const events = await listLastEvents(tx, { instanceId: after.id, type: "instance.phaseChanged", limit: toldTurns });
  const told = events.map(({ data, ageSeconds }) => ({ phase: String(data["to"]), ageSeconds }));
  if (!isPhaseNews(told, after.observedPhase)) return;
  record(tx, {
    type: "instance.phaseChanged",
    instanceId: after.id,
    subscriptionId: after.subscriptionId,
    data: { from: told[0]?.phase ?? before.observedPhase, to: after.observedPhase, reason: after.reason },
  });
}

function pick<T extends object>(row: InstanceRow, like: T): Pick<InstanceRow, keyof T & keyof InstanceRow> {
  const keys = Object.keys(like) as (keyof T & keyof InstanceRow)[];
  return Object.fromEntries(keys.map((key) => [key, row[key]])) as Pick<InstanceRow, keyof T & keyof InstanceRow>;
}

/** What follows from the world having become as wanted; each edge once. */
async function settle(tx: Tx, before: InstanceRow, after: InstanceRow): Promise<void> {
  const subject = { instanceId: after.id, subscriptionId: after.subscriptionId };
  if (after.readyAt !== null && before.readyAt === null) {
    record(tx, { type: "instance.ready", ...subject, data: { host: after.host } });
    await notifyOwner(tx, {
      kind: "app_ready",
      dedupeKey: `app_ready:${after.id}`,
      data: { appName: after.name, instanceId: after.id, address: deriveAddress(tx.ctx.config, after.host) },
    });
  }
  if (after.desiredPhase === "stopped" && before.observedPhase !== "stopped")
    record(tx, { type: "instance.stopped", ...subject });
  if (after.desiredPhase !== "running" && after.releasesCapacity) await releaseCapacity(tx, after.id);
  if (after.removedAt !== null && before.removedAt === null) {
    record(tx, { type: "instance.removed", ...subject });
    await tx.sql.delete(instanceSecrets).where(eq(instanceSecrets.instanceId, after.id));
    await enqueue(tx, "subscription:reconcile", { subscriptionId: after.subscriptionId });
  }
}
