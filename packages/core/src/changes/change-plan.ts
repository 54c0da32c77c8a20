import { addMs, minuteMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { sha256Hex } from "../ids.ts";
import { canonicalJson } from "../json.ts";
import { authorize } from "../permissions.ts";
import type { PricedItem } from "../catalog/index.ts";
import { nextTermsOf, scheduleTerms, type SubscriptionView, toSubscriptionView } from "../subscriptions/index.ts";
import { authorizeDearer } from "./execute-plan.ts";
import { lockAppOf, type LockedApp } from "./lock-change.ts";
import { insertChange, planMinutes, refuseIfBusy, refuseTooMany } from "./plan-change.ts";
import { prepareChange, type PreparedChange } from "./prepare-change.ts";
import { demandOf } from "./update-change.ts";

/** now: with the rest of the running period charged. period_end: from the next period on, for what that one costs. */
export type ChangeMoment = "now" | "period_end";

export interface PlanChoice {
  readonly subscriptionId: string;
  readonly planId: string;
  readonly moment: ChangeMoment;
}

/** What another plan would cost. Promises nothing and writes nothing. */
export interface PlanChangePreview {
  readonly currency: string;
  readonly amountBeforeMinor: bigint;
  readonly amountAfterMinor: bigint;
  /** What each period costs then, in parts. */
  readonly items: readonly PricedItem[];
  /** To be paid now, for the time from `at` to the end of the period. */
  readonly dueMinor: bigint;
  readonly startsAt: Date;
  /** The moment for which this was computed. Hand it back, and what is booked is what stands here. */
  readonly at: Date;
  /** Stands for all of this. */
  readonly priceKey: string;
}

export async function previewPlanChange(ctx: CoreContext, input: PlanChoice): Promise<PlanChangePreview> {
  authorize(ctx.actor, "subscription.read");
  return ctx.transaction(async (tx) => {
    const app = await lockAppOf(tx, input.subscriptionId);
    return (await prepare(tx, app, input, tx.now)).preview;
  });
}

/**
 * Puts the app on another plan at the price of a preview of the last quarter of an hour; PRICE_CHANGED if it would cost something else.
 * Now: as `planChange`, and approved as soon as a worker has looked. At the end of the period: the next one is asked for at the new
 * price, and the app follows when it begins. Such a plan may not need more room than the app has.
 */
export async function changePlan(
  ctx: CoreContext,
  input: PlanChoice & { readonly at: Date; readonly priceKey: string; readonly idempotencyKey: string },
): Promise<SubscriptionView> {
  authorize(ctx.actor, "instance.change");
  const { idempotencyKey: key, ...request } = input;
  return once(ctx, { key, procedure: "subscriptions.changePlan", input: request }, async (tx) => {
    const { subscriptionId, planId, moment, at } = input;
    const app = await lockAppOf(tx, subscriptionId);
    if (at > tx.now || at < addMs(tx.now, -planMinutes * minuteMs)) throw priceChanged();
    const { prepared, preview } = await prepare(tx, app, input, at);
    if (preview.priceKey !== input.priceKey) throw priceChanged();
    authorizeDearer(ctx.actor, prepared);
    if (moment === "now") {
      await refuseIfBusy(tx, app.instance.id);
      await refuseTooMany(tx, app.instance.id);
      await insertChange(tx, app, { kind: "resize", planId }, prepared, { at, approvesItself: true });
    } else {
      const { after } = prepared;
      assert(after !== null, "a resize has a shape");
      const { priceId, items, gracePeriodDays, pastDueDays } = after;
      await scheduleTerms(tx, app, { planId, priceId, items, gracePeriodDays, pastDueDays });
    }
    return toSubscriptionView(tx, subscriptionId);
  });
}

/** The next period keeps the plan of now after all. INVALID_TRANSITION when no other one was to begin; ALREADY_RENEWED when it is paid. */
export async function undoPlanChange(
  ctx: CoreContext,
  input: { readonly subscriptionId: string; readonly idempotencyKey: string },
): Promise<SubscriptionView> {
  authorize(ctx.actor, "instance.change");
  const { idempotencyKey: key, subscriptionId } = input;
  return once(ctx, { key, procedure: "subscriptions.undoPlanChange", input: { subscriptionId } }, async (tx) => {
    const app = await lockAppOf(tx, subscriptionId);
    if (app.subscription.nextTerms === null)
      throw new DomainError("INVALID_TRANSITION", "No other plan is to begin with the next period.");
    authorizeDearer(ctx.actor, {
      amountBeforeMinor: nextTermsOf(app.subscription).amountMinor,
      amountAfterMinor: app.subscription.amountMinor,
    });
    if (app.nextInvoice?.status === "paid")
      throw new DomainError("ALREADY_RENEWED", "The next period is paid already, with its plan.");
    await scheduleTerms(tx, app, null);
    return toSubscriptionView(tx, subscriptionId);
  });
}

async function prepare(
  tx: Tx,
  app: LockedApp,
  { subscriptionId, planId, moment }: PlanChoice,
  at: Date,
): Promise<{ readonly prepared: PreparedChange; readonly preview: PlanChangePreview }> {
  const { currentPeriodStart, currentPeriodEnd, cancelAtPeriodEnd } = app.subscription;
  const prepared = await prepareChange(tx, app, { kind: "resize", planId }, { at, keepsStorage: false });
  const { after, currency, amountBeforeMinor, amountAfterMinor } = prepared;
  assert(after !== null && currentPeriodStart !== null && currentPeriodEnd !== null, "a running app has a period");
  if (at < currentPeriodStart) throw priceChanged();
  if (moment === "period_end") {
    if (cancelAtPeriodEnd)
      throw new DomainError(
        "INVALID_TRANSITION",
        "The subscription ends with this period. Undo the cancellation first.",
      );
    const [now, then] = [demandOf(app.instance), demandOf(after)];
    if (then.cpuMillis > now.cpuMillis || then.memoryBytes > now.memoryBytes)
      throw new DomainError("PLAN_UNAVAILABLE", "This plan needs more room than the app has. Change to it now.");
    // Whether storage can grow is looked at now, before it is charged, and not when the period begins.
    if (prepared.growsByAddons)
      throw new DomainError("PLAN_UNAVAILABLE", "The add-ons are larger on this plan. Change to it now.");
  }
  const facts = {
    currency,
    amountBeforeMinor,
    amountAfterMinor,
    items: after.items,
    dueMinor: moment === "now" ? prepared.dueMinor + prepared.addedTaxMinor : 0n,
    startsAt: moment === "now" ? at : currentPeriodEnd,
    at,
  };
  const priceKey = sha256Hex(
    canonicalJson({
      ...facts,
      subscriptionId,
      planId,
      moment,
      amountBeforeMinor: amountBeforeMinor.toString(),
      amountAfterMinor: amountAfterMinor.toString(),
      dueMinor: facts.dueMinor.toString(),
      startsAt: facts.startsAt.toISOString(),
      at: at.toISOString(),
    }),
  ).slice(0, 32);
  return { prepared, preview: { ...facts, priceKey } };
}

function priceChanged(): DomainError {
  return new DomainError("PRICE_CHANGED", "This is not what the change costs now. Ask for its price again.");
}
