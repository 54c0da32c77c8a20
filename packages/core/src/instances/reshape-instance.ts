import type { PlanLimits } from "@sewa/blueprint";
import { instances } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { AddonCounts } from "../catalog/index.ts";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { notifyOrganization, record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import {
  endOperation,
  findOpenOperation,
  openOperation,
  type OperationRow,
  type ReshapingKind,
} from "../operations/index.ts";
import type { InstanceRow } from "./instance.ts";
import { addMissingSecrets } from "./instance-secrets.ts";
import { resolveInstance } from "./resolve-instance.ts";

/** What an app is made of: which version, with which parameters, how large. */
export interface InstanceShape {
  readonly planId: string;
  readonly blueprintVersionId: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly addons: AddonCounts;
  /** With what the add-ons add. */
  readonly limits: PlanLimits;
}

export function shapeOf({ planId, blueprintVersionId, parameters, addons, limits }: InstanceRow): InstanceShape {
  return { planId, blueprintVersionId, parameters, addons, limits };
}

/**
 * The one writer of what an app is made of, after it was created; the caller holds its row. As with every change of what is
 * wanted the generation rises, an operation tells the customer, and the job is added in the same transaction. The phase
 * stays: a stopped app gets its new shape and stays stopped.
 */
export async function reshapeInstance(
  tx: Tx,
  instance: InstanceRow,
  shape: InstanceShape,
  kind: ReshapingKind,
): Promise<{ readonly instance: InstanceRow; readonly operation: OperationRow }> {
  assert(instance.desiredPhase !== "absent", "an app that goes is not given another shape");
  const open = await findOpenOperation(tx, instance.id);
  if (open !== null) await endOperation(tx, open, "cancelled", { reason: "SUPERSEDED", message: null });
  const [next] = await tx.sql
    .update(instances)
    .set({
      planId: shape.planId,
      blueprintVersionId: shape.blueprintVersionId,
      parameters: { ...shape.parameters },
      addons: { ...shape.addons },
      limits: { ...shape.limits },
      generation: instance.generation + 1,
      isSettled: false,
      reason: null,
      message: null,
      revision: instance.revision + 1,
    })
    .where(eq(instances.id, instance.id))
    .returning();
  assert(next !== undefined, "the locked instance is still there");
  // A newer version may declare secrets that an older one did not have. They exist before anything is applied.
  await addMissingSecrets(tx, instance.id, (await resolveInstance(tx, next)).secrets);
  notifyOrganization(tx);
  record(tx, {
    type: "instance.desiredChanged",
    instanceId: instance.id,
    subscriptionId: instance.subscriptionId,
    data: { from: instance.desiredPhase, to: instance.desiredPhase, restart: false, kind },
    before: shapeOf(instance),
    after: shapeOf(next),
  });
  const operation = await openOperation(tx, {
    instanceId: instance.id,
    subscriptionId: instance.subscriptionId,
    kind,
    generation: next.generation,
    // Nobody has what they have paid for before the cluster says so. What is put back keeps its volume, and waits for nothing.
    growsVolume: shape.limits.storageBytes > instance.limits.storageBytes,
  });
  await enqueue(tx, "instance:reconcile", { instanceId: instance.id });
  return { instance: next, operation };
}
