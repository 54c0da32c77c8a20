import { instances } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { authorize } from "../permissions.ts";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { type EventType, record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { findLatestOperation, findOpenOperation, type OperationRow } from "../operations/index.ts";
import type { InstanceRow } from "./instance.ts";
import { type LockedInstance, lockInstance, wantedPhase } from "./lock-instance.ts";
import { setDesired } from "./set-desired.ts";

export interface OperateInput {
  readonly instanceId: string;
  readonly idempotencyKey: string;
}

/** Lets the app run; INVALID_TRANSITION while its subscription or a hold does not allow it, SPENDING_CAPPED while its cap does not. */
export async function startInstance(ctx: CoreContext, input: OperateInput): Promise<OperationRow> {
  return operate(ctx, "start", "instance.startRequested", input, async (tx, locked) => {
    return change(tx, locked, "running");
  });
}

/** Stops the app and keeps its data and its place. */
export async function stopInstance(ctx: CoreContext, input: OperateInput): Promise<OperationRow> {
  return operate(ctx, "stop", "instance.stopRequested", input, async (tx, locked) => {
    return change(tx, locked, "stopped");
  });
}

/** New pods on the same data. */
export async function restartInstance(ctx: CoreContext, input: OperateInput): Promise<OperationRow> {
  return operate(ctx, "restart", "instance.restartRequested", input, async (tx, locked) => {
    if (locked.instance.desiredPhase !== "running") throw refuse("The app is stopped; start it instead.");
    const { operation } = await setDesired(tx, locked.instance, { phase: "running", restart: true });
    return operation;
  });
}

/** Long work returns what can be followed at once. One thing at a time: a second request is refused while one is open. */
async function operate(
  ctx: CoreContext,
  kind: "start" | "stop" | "restart",
  type: EventType,
  { instanceId, idempotencyKey }: OperateInput,
  work: (tx: Tx, locked: LockedInstance) => Promise<OperationRow | null>,
): Promise<OperationRow> {
  authorize(ctx.actor, "instance.operate");
  return once(ctx, { key: idempotencyKey, procedure: `instances.${kind}`, input: { instanceId } }, async (tx) => {
    const locked = await lockInstance(tx, instanceId);
    const { subscriptionStatus, instance } = locked;
    if (subscriptionStatus !== "active" && subscriptionStatus !== "past_due") {
      throw refuse("The subscription of this app is not running.");
    }
    if (kind === "start" && locked.isCapped) {
      throw new DomainError("SPENDING_CAPPED", "The app is stopped at its spending cap. Raise the cap to start it.");
    }
    const asked = await findWhatWasAsked(tx, instance, kind);
    if (asked !== null) return asked;
    if ((await findOpenOperation(tx, instanceId)) !== null) {
      throw new DomainError(
        "OPERATION_IN_PROGRESS",
        "Something else is being done with this app. Try again when it has ended.",
        {
          retryAfterSeconds: 15,
        },
      );
    }
    record(tx, { type, instanceId, subscriptionId: instance.subscriptionId });
    const operation = await work(tx, locked);
    if (operation === null) throw refuse("There is nothing to change.");
    return operation;
  });
}

/** Asked for twice, a start or stop is done once: the second is told of the first one's operation. */
async function findWhatWasAsked(
  tx: Tx,
  instance: InstanceRow,
  kind: "start" | "stop" | "restart",
): Promise<OperationRow | null> {
  if (kind === "restart") return null;
  const isAsked = instance.requestedPhase === (kind === "start" ? "running" : "stopped");
  if (!isAsked) return null;
  const latest = await findLatestOperation(tx, instance.id);
  if (latest?.kind === kind && latest.status !== "failed") return latest;
  throw refuse(kind === "start" ? "The app is not stopped by you." : "The app is stopped already.");
}

async function change(
  tx: Tx,
  locked: LockedInstance,
  requestedPhase: "running" | "stopped",
): Promise<OperationRow | null> {
  await tx.sql.update(instances).set({ requestedPhase }).where(eq(instances.id, locked.instance.id));
  const wanted = { ...locked, instance: { ...locked.instance, requestedPhase } };
  const phase = wantedPhase(wanted);
  if (phase !== requestedPhase) throw refuse("The operator has stopped this app.");
  return (await setDesired(tx, wanted.instance, { phase })).operation;
}

function refuse(message: string): DomainError {
  return new DomainError("INVALID_TRANSITION", message);
}
