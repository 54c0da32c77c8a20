import { instanceChanges } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { checkHoldChange } from "../capacity/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { sha256Hex } from "../ids.ts";
import { type InstanceSpec, toInstanceSpec, toPlannedSpec } from "../instances/index.ts";
import { canonicalJson } from "../json.ts";
import { beginChange } from "./begin-change.ts";
import { type ChangeRow, changesTerms, requestOf, shapesOf } from "./change.ts";
import { deriveEffects } from "./effects.ts";
import { approveItself, areFactsAsPlanned } from "./execute-plan.ts";
import { type LockedApp, lockChange } from "./lock-change.ts";
import { prepareChange, type PreparedChange } from "./prepare-change.ts";
import type { Preview } from "./preview.ts";
import { boundNode, demandOf, endChange, recordChangeEvent, updateChange } from "./update-change.ts";

/** What a worker needs to look: the app as it is rendered now, and as it would be. */
export interface PreviewTask {
  readonly now: InstanceSpec;
  readonly planned: InstanceSpec;
}

/** Null when there is nothing to look at: it was looked at, has ended, or never was. */
export async function loadPreview(ctx: CoreContext, changeId: string): Promise<PreviewTask | null> {
  const bound = await bind(ctx, changeId);
  return bound === null
    ? null
    : bound.transaction(async (tx) => {
        const { app, change } = await lockChange(tx, changeId);
        if (change.status !== "planning" && (change.status !== "approved" || app.parking.parkedAt !== null))
          return null;
        const { after } = shapesOf(change);
        const now = await toInstanceSpec(tx, app.instance);
        const planned =
          after === null ? { ...now, phase: "absent" as const } : await toPlannedSpec(tx, app.instance, after);
        return { now, planned };
      });
}

/**
 * Takes what a worker saw. For a change that is being planned it becomes the plan, or a refusal. For one that is approved it
 * has to be the world that it was planned with, and then the change begins in this transaction. `again`: the volumes
 * cannot grow here, so the worker has to look once more, with those that there are. Add-ons that need them to grow are refused.
 */
export async function recordPreview(ctx: CoreContext, changeId: string, preview: Preview): Promise<"done" | "again"> {
  const bound = await bind(ctx, changeId);
  assert(bound !== null, "a change that was looked at exists");
  return bound.transaction(async (tx) => {
    const { app, change } = await lockChange(tx, changeId);
    if (change.status === "planning") return recordPlan(tx, app, change, preview);
    if (change.status !== "approved" || app.parking.parkedAt !== null) return "done";
    const isAsPlanned =
      preview.worldHash === change.worldHash &&
      preview.refusals.length === 0 &&
      (await areFactsAsPlanned(tx, app, change));
    if (isAsPlanned) await beginChange(tx, app, change);
    else await endChange(tx, change, app.instance, { status: "refused", reason: "PLAN_STALE" });
    return "done";
  });
}

async function recordPlan(tx: Tx, app: LockedApp, change: ChangeRow, preview: Preview): Promise<"done" | "again"> {
  if (!(await areFactsAsPlanned(tx, app, change))) {
    await endChange(tx, change, app.instance, { status: "refused", reason: "PLAN_STALE" });
    return "done";
  }
  const prepared = await prepareChange(tx, app, requestOf(change), {
    at: change.plannedAt,
    keepsStorage: change.keepsStorage,
  });
  const cannotGrow = preview.refusals.some(({ reason }) => reason === "VOLUME_CANNOT_GROW");
  // A plan is more than its storage and can be had without; an add-on is nothing else.
  const isInVain = cannotGrow && prepared.growsByAddons;
  if (!change.keepsStorage && cannotGrow && !isInVain) {
    await keepStorage(tx, app, change);
    return "again";
  }
  const effects = deriveEffects(await effectFacts(tx, app, change, prepared), preview);
  const { worldHash } = preview;
  const hash = sha256Hex(canonicalJson({ facts: change.factsHash, world: worldHash, effects })).slice(0, 32);
  if (preview.refusals.length > 0) {
    const values = { effects, worldHash, hash };
    const reason = isInVain ? "VOLUME_CANNOT_GROW" : "OBJECT_REFUSED";
    await endChange(tx, change, app.instance, { status: "refused", reason, values });
    return "done";
  }
  const planned = await updateChange(tx, change, "planned", { effects, worldHash, hash });
  recordChangeEvent(tx, "change.planned", change, {
    hash,
    dueMinor: (change.dueMinor + change.addedTaxMinor).toString(),
  });
  if (change.approvesItself) await approveItself(tx, app, planned);
  return "done";
}

/** The plan's owner is told by a warning, and decides. */
async function keepStorage(tx: Tx, app: LockedApp, change: ChangeRow): Promise<void> {
  const { after, factsHash } = await prepareChange(tx, app, requestOf(change), {
    at: change.plannedAt,
    keepsStorage: true,
  });
  await tx.sql
    .update(instanceChanges)
    .set({ keepsStorage: true, shapeAfter: after, factsHash })
    .where(eq(instanceChanges.id, change.id));
}

async function effectFacts(
  tx: Tx,
  { instance, nextInvoice }: LockedApp,
  change: ChangeRow,
  { before, after, amountBeforeMinor, amountAfterMinor, plannedStorageBytes }: PreparedChange,
): Promise<Parameters<typeof deriveEffects>[0]> {
  const capacity =
    after === null
      ? ({ fits: true } as const)
      : await checkHoldChange(tx, {
          instanceId: instance.id,
          demand: demandOf(after),
          nodeName: await boundNode(tx, instance),
        });
  return {
    kind: change.kind,
    before,
    after,
    keepsStorage: change.keepsStorage,
    plannedStorageBytes,
    isCheaper: amountAfterMinor < amountBeforeMinor,
    hasOpenRenewal: nextInvoice?.status === "open" && changesTerms(change),
    hasPaidRenewal: nextInvoice?.status === "paid" && nextInvoice.totalMinor > 0n,
    isRunning: instance.desiredPhase === "running",
    capacity,
  };
}

async function bind(ctx: CoreContext, changeId: string): Promise<CoreContext | null> {
  const [known] = await ctx.db.drizzle
    .select({ organizationId: instanceChanges.organizationId })
    .from(instanceChanges)
    .where(eq(instanceChanges.id, changeId));
  return known === undefined ? null : ctx.forOrganization(known.organizationId);
}
