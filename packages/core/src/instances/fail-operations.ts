import { instances } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext, Tx } from "../context.ts";
import { notifyOrganization, record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import {
  endOperation,
  findOpenOperation,
  isReshaping,
  listOverdueOperations,
  type OperationRow,
} from "../operations/index.ts";
import { lockInstance, type LockedInstance } from "./lock-instance.ts";
import { reasonSentences } from "./reasons.ts";
import { setDesired } from "./set-desired.ts";

const batch = 500;

/** No operation is open past its deadline: the sweep ends those that are. Returns how many it ended. */
export async function failOverdueOperations(ctx: CoreContext): Promise<number> {
  const overdue = await listOverdueOperations(ctx, batch);
  const results = [];
  for (const { organizationId, instanceId } of overdue) {
    results.push(await failOverdue(ctx.forOrganization(organizationId), instanceId).catch(toError));
  }
  const errors = results.filter((result) => result instanceof Error);
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} overdue operations could not be ended`);
  return results.filter((result) => result === true).length;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function failOverdue(ctx: CoreContext, instanceId: string): Promise<boolean> {
  return ctx.transaction(async (tx) => {
    const locked = await lockInstance(tx, instanceId);
    const operation = await findOpenOperation(tx, instanceId);
    // It may have ended, or given way to another, since it was listed.
    if (operation === null || operation.deadlineAt > ctx.clock.now()) return false;
    await failOperation(tx, locked, operation);
    return true;
  });
}

/**
 * A first provisioning fails for good: the subscription is told and takes everything back. A start that its customer
 * asked for is undone. Anything else stays wanted, because money or an operator wants it; the event alerts.
 */
async function failOperation(tx: Tx, locked: LockedInstance, operation: OperationRow): Promise<void> {
  const { instance } = locked;
  // An app that runs well may still wait for its volume: then the operation knows why.
  const reason = instance.reason ?? operation.reason ?? "DEADLINE_EXCEEDED";
  const message = instance.message ?? operation.message ?? reasonSentences.DEADLINE_EXCEEDED;
  await endOperation(tx, operation, "failed", { reason, message });
  await tx.sql
    .update(instances)
    .set({ revision: instance.revision + 1 })
    .where(eq(instances.id, instance.id));
  notifyOrganization(tx);
  if (operation.kind === "provision") {
    await tx.sql.update(instances).set({ provisioningFailedAt: tx.now }).where(eq(instances.id, instance.id));
    record(tx, {
      type: "instance.provisioningFailed",
      instanceId: instance.id,
      subscriptionId: instance.subscriptionId,
      data: { reason, message },
    });
    await enqueue(tx, "subscription:reconcile", { subscriptionId: instance.subscriptionId });
    return;
  }
  if (isReshaping(operation.kind)) {
    // Who planned the change knows what was before, and brings it back together with its price.
    await enqueue(tx, "change:reconcile", { instanceId: instance.id });
    return;
  }
  if (
    operation.kind === "start" &&
    operation.requestedBy.startsWith("user:") &&
    instance.requestedPhase === "running"
  ) {
    const back = { ...instance, requestedPhase: "stopped" as const, revision: instance.revision + 1 };
    await tx.sql.update(instances).set({ requestedPhase: "stopped" }).where(eq(instances.id, instance.id));
    await setDesired(tx, back, { phase: "stopped" });
  }
}
