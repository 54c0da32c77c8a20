import { instanceHolds, instances } from "@sewa/db/schema";
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import { notifyOwner } from "../notifications/index.ts";
import { authorize } from "../permissions.ts";
import { lockInstance, wantedPhase } from "./lock-instance.ts";
import { setDesired } from "./set-desired.ts";

export type HoldKind = "operator" | "abuse" | "books";

export interface HoldWords {
  readonly kind: HoldKind;
  /** For the audit; the customer is not told. */
  readonly reason: string;
  /** For the customer, as it is; null where the kind says enough. */
  readonly message?: string | null;
}

export interface HoldInstance extends HoldWords {
  readonly instanceId: string;
  readonly idempotencyKey: string;
}

export interface LiftHold {
  readonly instanceId: string;
  readonly kind: HoldKind;
  readonly reason: string;
  readonly idempotencyKey: string;
}

/**
 * Stops an instance whatever its customer asks for and pays, until the hold is lifted. Standing already: nothing changes. Its
 * subscription goes on, and is charged. Throws NOT_FOUND, and INVALID_TRANSITION for what has ended.
 */
export async function holdInstance(ctx: CoreContext, input: HoldInstance): Promise<void> {
  authorize(ctx.actor, "admin.instances.hold");
  const { idempotencyKey: key, ...wish } = input;
  await once(ctx, { key, procedure: "admin.instances.hold", input: wish }, async (tx) => {
    await placeHold(tx, input.instanceId, wish);
    return null;
  });
}

/** Lifts a hold; the app is again as its customer last asked for. */
export async function liftHold(ctx: CoreContext, input: LiftHold): Promise<void> {
  authorize(ctx.actor, "admin.instances.hold");
  const { idempotencyKey: key, ...wish } = input;
  await once(ctx, { key, procedure: "admin.instances.release", input: wish }, async (tx) => {
    await lift(tx, wish);
    return null;
  });
}

/** In the transaction of a verb that has authorised it. */
export async function placeHold(tx: Tx, instanceId: string, words: HoldWords): Promise<void> {
  const { kind, reason, message = null } = words;
  const { instance, subscriptionStatus } = await lockInstance(tx, instanceId);
  if (subscriptionStatus === "cancelled")
    throw new DomainError("INVALID_TRANSITION", "The subscription of this app has ended.");
  const id = tx.ctx.ids.next();
  const placed = await tx.sql
    .insert(instanceHolds)
    .values({
      id,
      organizationId: organizationOf(tx),
      instanceId,
      kind,
      reason,
      message,
      placedBy: formatActor(tx.ctx.actor),
      placedAt: tx.now,
    })
    .onConflictDoNothing()
    .returning({ id: instanceHolds.id });
  if (placed.length === 0) return;
  const { subscriptionId, name: appName } = instance;
  record(tx, { type: "instance.held", instanceId, subscriptionId, data: { kind, message }, reason });
  await applyHolds(tx, instanceId);
  await notifyOwner(tx, {
    kind: "app_held",
    dedupeKey: `app_held:${id}`,
    data: { appName, instanceId, message },
  });
}

/** Of those that an operator has placed: what they stop may neither begin a new term nor go on after its end. */
export async function isHeldByOperator(tx: Tx, instanceId: string): Promise<boolean> {
  const standing = await tx.sql.$count(
    instanceHolds,
    and(
      eq(instanceHolds.instanceId, instanceId),
      inArray(instanceHolds.kind, ["operator", "abuse"]),
      isNull(instanceHolds.liftedAt),
    ),
  );
  return standing > 0;
}

async function lift(tx: Tx, { instanceId, kind, reason }: Omit<LiftHold, "idempotencyKey">): Promise<void> {
  const { instance } = await lockInstance(tx, instanceId);
  const lifted = await tx.sql
    .update(instanceHolds)
    .set({ liftedAt: tx.now })
    .where(and(eq(instanceHolds.instanceId, instanceId), eq(instanceHolds.kind, kind), isNull(instanceHolds.liftedAt)))
    .returning({ id: instanceHolds.id });
  if (lifted.length === 0) return;
  const { subscriptionId } = instance;
  record(tx, { type: "instance.holdLifted", instanceId, subscriptionId, data: { kind }, reason });
  await applyHolds(tx, instanceId);
}

async function applyHolds(tx: Tx, instanceId: string): Promise<void> {
  // Its customer sees why it is stopped, also where it was stopped already.
  await tx.sql
    .update(instances)
    .set({ revision: sql`${instances.revision} + 1` })
    .where(eq(instances.id, instanceId));
  const locked = await lockInstance(tx, instanceId);
  await setDesired(tx, locked.instance, { phase: wantedPhase(locked) });
}
