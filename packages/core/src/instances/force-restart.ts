import type { CoreContext } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { findOpenOperation, type OperationRow } from "../operations/index.ts";
import { authorize } from "../permissions.ts";
import { lockInstance } from "./lock-instance.ts";
import { setDesired } from "./set-desired.ts";

export interface ForceRestart {
  readonly instanceId: string;
  /** For the audit; the customer is not told. */
  readonly reason: string;
  readonly idempotencyKey: string;
}

/** What a restart may cut short: whatever else is under way makes or changes the app, and would be left half done. */
const interruptible: ReadonlySet<string> = new Set(["start", "stop", "restart"]);

/**
 * New pods on the same data, also while the customer's own start or restart hangs. Throws NOT_FOUND, INVALID_TRANSITION where nothing
 * is wanted to run, and OPERATION_IN_PROGRESS while the app is being made or changed.
 */
export async function forceRestart(ctx: CoreContext, input: ForceRestart): Promise<OperationRow> {
  authorize(ctx.actor, "admin.instances.restart");
  const { idempotencyKey: key, ...wish } = input;
  const { instanceId, reason } = wish;
  return once(ctx, { key, procedure: "admin.instances.restart", input: wish }, async (tx) => {
    const { instance } = await lockInstance(tx, instanceId);
    if (instance.desiredPhase !== "running") throw new DomainError("INVALID_TRANSITION", "The app is not to run.");
    const open = await findOpenOperation(tx, instanceId);
    if (open !== null && !interruptible.has(open.kind))
      throw new DomainError("OPERATION_IN_PROGRESS", `The app is in the middle of this: ${open.kind}.`, {
        retryAfterSeconds: 15,
      });
    const { subscriptionId } = instance;
    record(tx, { type: "instance.restartForced", instanceId, subscriptionId, reason });
    const { operation } = await setDesired(tx, instance, { phase: "running", restart: true });
    assert(operation !== null, "a restart can be followed");
    return operation;
  });
}
