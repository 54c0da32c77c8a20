import { instanceChanges } from "@sewa/db/schema";
import { and, count, eq, inArray } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { addMs, minuteMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import { findOpenOperation } from "../operations/index.ts";
import { authorize } from "../permissions.ts";
import type { ChangeRequest } from "./change.ts";
import { findUnderWay, lockApp, type LockedApp } from "./lock-change.ts";
import { prepareChange, type PreparedChange } from "./prepare-change.ts";
import { type ChangeView, toChangeView } from "./queries.ts";

/** How long a plan is good for, and how long a worker has to make it. */
export const planMinutes = 15;
const lookMinutes = 5;
/** Of one app at once. */
const maxPlans = 10;

export interface PlanChangeInput {
  readonly instanceId: string;
  readonly request: ChangeRequest;
  readonly idempotencyKey: string;
}

/**
 * Asks what a change would do. Changes and holds nothing: a worker compares what is there with what would be, and the plan is
 * there a moment later (`change.planned`). What the database alone can refuse is refused at once.
 */
export async function planChange(ctx: CoreContext, input: PlanChangeInput): Promise<ChangeView> {
  authorize(ctx.actor, "instance.change");
  const { idempotencyKey: key, instanceId, request } = input;
  if (request.kind === "deprovision") authorize(ctx.actor, "subscription.cancel");
  return once(ctx, { key, procedure: "instances.plan", input: { instanceId, request } }, async (tx) => {
    const app = await lockApp(tx, instanceId);
    const prepared = await prepareChange(tx, app, request, { at: tx.now, keepsStorage: false });
    if (request.kind !== "deprovision") await refuseIfBusy(tx, instanceId);
    await refuseTooMany(tx, instanceId);
    const id = await insertChange(tx, app, request, prepared, { at: tx.now, approvesItself: false });
    return toChangeView(tx, id);
  });
}

/** A change that a worker has to look at. `at`: the moment for which its money was computed. */
export async function insertChange(
  tx: Tx,
  { instance, subscription }: LockedApp,
  request: ChangeRequest,
  prepared: PreparedChange,
  { at, approvesItself }: { readonly at: Date; readonly approvesItself: boolean },
): Promise<string> {
  const { ctx } = tx;
  const id = ctx.ids.next();
  await tx.sql.insert(instanceChanges).values({
    id,
    organizationId: organizationOf(tx),
    instanceId: instance.id,
    subscriptionId: subscription.id,
    kind: request.kind,
    status: "planning",
    request,
    shapeBefore: prepared.before,
    shapeAfter: prepared.after,
    currency: prepared.currency,
    amountBeforeMinor: prepared.amountBeforeMinor,
    amountAfterMinor: prepared.amountAfterMinor,
    dueMinor: prepared.dueMinor,
    addedTaxMinor: prepared.addedTaxMinor,
    factsHash: prepared.factsHash,
    approvesItself,
    requestedBy: formatActor(ctx.actor),
    requestId: ctx.requestId,
    plannedAt: at,
    expiresAt: addMs(tx.now, planMinutes * minuteMs),
    deadlineAt: addMs(ctx.clock.now(), lookMinutes * minuteMs),
  });
  await enqueue(tx, "change:preview", { changeId: id });
  return id;
}

/** One thing at a time, as with everything that is done with an app. */
export async function refuseIfBusy(tx: Tx, instanceId: string): Promise<void> {
  if ((await findOpenOperation(tx, instanceId)) === null && (await findUnderWay(tx, instanceId)) === null) return;
  throw new DomainError(
    "OPERATION_IN_PROGRESS",
    "Something else is being done with this app. Try again when it has ended.",
    { retryAfterSeconds: 15 },
  );
}

export async function refuseTooMany(tx: Tx, instanceId: string): Promise<void> {
  const [row] = await tx.sql
    .select({ plans: count() })
    .from(instanceChanges)
    .where(
      and(
        eq(instanceChanges.organizationId, organizationOf(tx)),
        eq(instanceChanges.instanceId, instanceId),
        inArray(instanceChanges.status, ["planning", "planned"]),
      ),
    );
  if ((row?.plans ?? 0) < maxPlans) return;
  throw new DomainError(
    "QUOTA_EXCEEDED",
    `An app has ${maxPlans} plans at once, and each ends after ${planMinutes} minutes.`,
    {
      retryAfterSeconds: planMinutes * 60,
    },
  );
}
