import { assertNotParked } from "../accounts/index.ts";
import { type Actor, formatActor } from "../actor.ts";
import { openInvoice, payInvoice } from "../billing/index.ts";
import { describePlans } from "../catalog/index.ts";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { enqueue } from "../jobs/index.ts";
import { notifyOwner } from "../notifications/index.ts";
import { authorize } from "../permissions.ts";
import { nothingToPay } from "../subscriptions/index.ts";
import { type ChangeRow, type ChangeShape, requestOf, shapesOf } from "./change.ts";
import { findUnderWay, lockChange, type LockedApp } from "./lock-change.ts";
import { refuseIfBusy } from "./plan-change.ts";
import { prepareChange } from "./prepare-change.ts";
import { type ChangeView, toChangeView } from "./queries.ts";
import { endChange, holdForBoth, recordChangeEvent, updateChange } from "./update-change.ts";

/** Until a worker has to have looked whether the world is still as planned. */
const verifyMinutes = 5;

export interface ExecutePlanInput {
  readonly changeId: string;
  /** Of the plan that its owner saw; anything else is refused with PLAN_STALE. */
  readonly hash: string;
  /** The app's name, typed again before it is removed. */
  readonly confirmName?: string | undefined;
  readonly idempotencyKey: string;
}

/**
 * Approves a plan. Refused with PLAN_STALE when it is not the plan that was seen, is too old, or the database says something
 * else by now; with CAPACITY when there is no room for the difference; with ACCOUNT_PARKED while no money moves. From here on the room is held. What costs something
 * now waits for its money; the rest is carried out as soon as a worker has seen that the cluster, too, is as it was.
 */
export async function executePlan(ctx: CoreContext, input: ExecutePlanInput): Promise<ChangeView> {
  authorize(ctx.actor, "instance.change");
  const { idempotencyKey: key, ...request } = input;
  return once(ctx, { key, procedure: "instances.executePlan", input: request }, async (tx) => {
    const { app, change } = await lockChange(tx, input.changeId);
    // An app ends only through its subscription, whichever way was taken to it.
    if (change.kind === "deprovision") authorize(ctx.actor, "subscription.cancel");
    authorizeDearer(ctx.actor, change);
    if (change.hash !== null && change.hash === input.hash && isApproved(change)) return toChangeView(tx, change.id);
    await assertNotParked(tx);
    refuseUnlessPlanned(change, input.hash, tx.now);
    if (change.kind === "deprovision") refuseOtherName(app, input.confirmName);
    if (!(await areFactsAsPlanned(tx, app, change))) throw stale();
    if (change.kind === "deprovision") await giveWay(tx, app);
    else await refuseIfBusy(tx, change.instanceId);
    const { after } = shapesOf(change);
    if (after !== null) await holdForBoth(tx, app.instance, after);
    await approve(tx, app, change);
    return toChangeView(tx, change.id);
  });
}

/** Who changes an app need not be one who may spend money. Throws FORBIDDEN. */
export function authorizeDearer(
  actor: Actor,
  change: { readonly amountBeforeMinor: bigint; readonly amountAfterMinor: bigint },
): void {
  if (change.amountAfterMinor > change.amountBeforeMinor) authorize(actor, "order.place");
}

/** What the plan was made from is still what the database says: nobody has to remember what could have changed. */
export async function areFactsAsPlanned(tx: Tx, app: LockedApp, change: ChangeRow): Promise<boolean> {
  const asked = { at: change.plannedAt, keepsStorage: change.keepsStorage };
  try {
    return (await prepareChange(tx, app, requestOf(change), asked)).factsHash === change.factsHash;
  } catch (error) {
    // What would be refused today is not what was planned.
    if (error instanceof DomainError) return false;
    throw error;
  }
}

/** Approves for its owner, who has agreed before: a savepoint, because what is in its way must leave nothing behind. */
export async function approveItself(tx: Tx, app: LockedApp, change: ChangeRow): Promise<void> {
  const { after } = shapesOf(change);
  assert(after !== null, "only a removal has no shape, and none approves itself");
  try {
    await tx.sql.transaction(async (savepoint) => {
      const inner = { ...tx, sql: savepoint };
      await refuseIfBusy(inner, change.instanceId);
      await holdForBoth(inner, app.instance, after);
    });
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const reason = error.code === "CAPACITY" ? "NO_ROOM" : "PLAN_STALE";
    return endChange(tx, change, app.instance, { status: "refused", reason });
  }
  await approve(tx, app, change);
}

async function approve(tx: Tx, app: LockedApp, change: ChangeRow): Promise<void> {
  const { ctx } = tx;
  const approvedBy = change.approvesItself ? change.requestedBy : formatActor(ctx.actor);
  const approved = { approvedBy, approvedAt: tx.now };
  const invoice = change.amountAfterMinor > change.amountBeforeMinor ? await openChangeInvoice(tx, app, change) : null;
  recordChangeEvent(tx, "change.approved", change, {
    hash: change.hash,
    dueMinor: (change.dueMinor + change.addedTaxMinor).toString(),
    currency: change.currency,
  });
  if (invoice !== null && invoice.totalMinor > 0n) {
    await updateChange(tx, change, "awaiting_payment", {
      ...approved,
      invoiceId: invoice.id,
      expiresAt: invoice.dueAt ?? tx.now,
    });
    await tellWhatIsDue(tx, app, invoice);
    return;
  }
  if (invoice !== null) {
    await payInvoice(tx, invoice, nothingToPay(invoice));
  }
  await updateChange(tx, change, "approved", {
    ...approved,
    invoiceId: invoice?.id ?? null,
    deadlineAt: addMs(ctx.clock.now(), verifyMinutes * minuteMs),
  });
  await enqueue(tx, "change:preview", { changeId: change.id });
}

/** The money has come; whether the world still is as planned is looked at now. */
export async function approvePaid(tx: Tx, change: ChangeRow): Promise<void> {
  await updateChange(tx, change, "approved", { deadlineAt: addMs(tx.ctx.clock.now(), verifyMinutes * minuteMs) });
  await enqueue(tx, "change:preview", { changeId: change.id });
}

type OpenedInvoice = Awaited<ReturnType<typeof openInvoice>>;

async function openChangeInvoice(tx: Tx, { subscription }: LockedApp, change: ChangeRow): Promise<OpenedInvoice> {
  const { currentPeriodEnd, termNumber, periodIndex } = subscription;
  const { before, after } = shapesOf(change);
  assert(currentPeriodEnd !== null && after !== null, "what becomes dearer runs and goes on running");
  const plans = await describePlans(tx, [before.planId, after.planId]);
  const [from, to] = [plans.get(before.planId), plans.get(after.planId)];
  assert(from !== undefined && to !== undefined, "plans are never deleted");
  const { orderTtlHours, renewalLeadDays } = tx.ctx.config;
  const renewalOpensAt = addMs(currentPeriodEnd, -renewalLeadDays * dayMs);
  // Once the next period is asked for, at the price of now, the plan would no longer be what was approved.
  const latest = renewalOpensAt > tx.now ? renewalOpensAt : currentPeriodEnd;
  const paidBy = addMs(tx.now, orderTtlHours * hourMs);
  return openInvoice(tx, {
    subscriptionId: subscription.id,
    reason: "change",
    termNumber,
    periodIndex,
    period: { start: change.plannedAt, end: currentPeriodEnd },
    currency: change.currency,
    lines: [
      {
        kind: "change",
        description: `${to.offeringName}, ${describeMore(before, after) ?? `${from.planName} to ${to.planName}`}, rest of the period`,
        quantity: 1n,
        unitAmountMinor: change.dueMinor,
        priceId: after.priceId,
      },
    ],
    dueAt: paidBy < latest ? paidBy : latest,
    // What the plan said is what is asked for.
    taxedAt: change.plannedAt,
  });
}

/** The add-ons that become more on the same plan; null where that is not what the change is about. */
function describeMore(before: ChangeShape, after: ChangeShape): string | null {
  if (before.planId !== after.planId) return null;
  const held = new Map(before.items.map(({ addon, quantity }) => [addon?.priceId, quantity]));
  const more = after.items.flatMap(({ addon, description, quantity }) => {
    const count = quantity - (held.get(addon?.priceId) ?? 0);
    return addon === undefined || count === 0 ? [] : [`${count} x ${description}`];
  });
  return more.length === 0 ? null : more.join(", ");
}

async function tellWhatIsDue(tx: Tx, { subscription, instance }: LockedApp, invoice: OpenedInvoice): Promise<void> {
  await notifyOwner(tx, {
    kind: "change_payment_due",
    dedupeKey: `change_payment_due:${invoice.id}`,
    data: {
      appName: instance.name,
      subscriptionId: subscription.id,
      amountMinor: invoice.totalMinor.toString(),
      currency: invoice.currency,
      dueAt: (invoice.dueAt ?? tx.now).toISOString(),
    },
  });
}

function isApproved({ status }: ChangeRow): boolean {
  return status === "awaiting_payment" || status === "approved" || status === "executing" || status === "executed";
}

function refuseUnlessPlanned(change: ChangeRow, hash: string, now: Date): void {
  if (change.status === "planning") throw new DomainError("INVALID_TRANSITION", "The plan is not made yet.");
  if (change.status !== "planned" || change.hash !== hash || now >= change.expiresAt) throw stale();
}

function refuseOtherName({ instance }: LockedApp, confirmName: string | undefined): void {
  if (instance.name === confirmName) return;
  throw new DomainError("NAME_MISMATCH", "The name that was typed is not the app's.", {
    issues: [{ path: "confirmName", message: "Type the app's name exactly." }],
  });
}

/** Who wants an app away does not have to wait for a change of it that has not begun. */
async function giveWay(tx: Tx, { instance }: LockedApp): Promise<void> {
  const other = await findUnderWay(tx, instance.id);
  if (other === null) return;
  if (other.status === "executing" || other.kind === "deprovision") await refuseIfBusy(tx, instance.id);
  await endChange(tx, other, instance, { status: "refused", reason: "PLAN_STALE" });
}

function stale(): DomainError {
  return new DomainError("PLAN_STALE", "Something has changed since this was planned. Plan it again.");
}
