import { instanceHolds } from "@sewa/db/schema";
import { and, eq, isNull } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { record } from "../events/index.ts";
import { authorize } from "../permissions.ts";
import { lockInstance, wantedPhase } from "./lock-instance.ts";
import { setDesired } from "./set-desired.ts";

export type HoldKind = "operator" | "abuse" | "books";

/** Stops an instance whatever its customer asks for, until the hold is lifted. Standing already: nothing changes. */
export async function holdInstance(
  ctx: CoreContext,
  input: { readonly instanceId: string; readonly kind: HoldKind; readonly reason: string },
): Promise<void> {
  authorize(ctx.actor, "admin.instances.hold");
  const { instanceId, kind, reason } = input;
  await ctx.transaction(async (tx) => {
    const { instance } = await lockInstance(tx, instanceId);
    const placed = await tx.sql
      .insert(instanceHolds)
      .values({
        id: ctx.ids.next(),
        organizationId: organizationOf(tx),
        instanceId,
        kind,
        reason,
        placedBy: formatActor(ctx.actor),
        placedAt: tx.now,
      })
      .onConflictDoNothing()
      .returning({ id: instanceHolds.id });
    if (placed.length === 0) return;
    record(tx, { type: "instance.held", instanceId, subscriptionId: instance.subscriptionId, data: { kind }, reason });
    await applyWanted(tx, instanceId);
  });
}

/** Lifts a hold; the app is again as its customer last asked for. */
export async function liftHold(
  ctx: CoreContext,
  input: { readonly instanceId: string; readonly kind: HoldKind; readonly reason: string },
): Promise<void> {
  authorize(ctx.actor, "admin.instances.hold");
  const { instanceId, kind, reason } = input;
  await ctx.transaction(async (tx) => {
    const { instance } = await lockInstance(tx, instanceId);
    const lifted = await tx.sql
      .update(instanceHolds)
      .set({ liftedAt: tx.now })
      .where(
        and(eq(instanceHolds.instanceId, instanceId), eq(instanceHolds.kind, kind), isNull(instanceHolds.liftedAt)),
      )
      .returning({ id: instanceHolds.id });
    if (lifted.length === 0) return;
    record(tx, {
      type: "instance.holdLifted",
      instanceId,
      subscriptionId: instance.subscriptionId,
      data: { kind },
      reason,
    });
    await applyWanted(tx, instanceId);
  });
}

async function applyWanted(tx: Tx, instanceId: string): Promise<void> {
  const locked = await lockInstance(tx, instanceId);
  await setDesired(tx, locked.instance, { phase: wantedPhase(locked) });
}
