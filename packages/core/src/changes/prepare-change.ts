import { planFits } from "@sewa/blueprint";
import { instanceChanges, invoices } from "@sewa/db/schema";
import { and, asc, eq, gte } from "drizzle-orm";
import { findInvoiceOfPeriod, type InvoiceRow } from "../billing/index.ts";
import {
  addonStorageBytes,
  getOrderablePlan,
  getPlanTerms,
  getPrice,
  loadBlueprint,
  type PricedItem,
  priceItems,
  totalOf,
} from "../catalog/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { discountMinor, findDiscountOf } from "../coupons/index.ts";
import { assert, DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";
import { type InstanceShape, shapeOf } from "../instances/index.ts";
import { canonicalJson } from "../json.ts";
import { prorate } from "../money.ts";
import { holdsFreePlace, type SubscriptionTerms, termsOf } from "../subscriptions/index.ts";
import { deriveTaxes, ratesOf } from "../taxes/index.ts";
import { measureOwnMeters } from "../usage/index.ts";
import { type ChangeRequest, type ChangeShape, shapesOf } from "./change.ts";
import type { LockedApp } from "./lock-change.ts";
import { mergeParameters } from "./merge-parameters.ts";
import { asksForAddons, prepareAddons, refuseLostAddons, withAddons } from "./prepare-addons.ts";

export interface PreparedChange {
  readonly before: ChangeShape;
  readonly after: ChangeShape | null;
  readonly currency: string;
  readonly amountBeforeMinor: bigint;
  readonly amountAfterMinor: bigint;
  /** For the rest of the running period. */
  readonly dueMinor: bigint;
  /** Comes on top of it. */
  readonly addedTaxMinor: bigint;
  /** Storage of the plan that was asked for, whatever the volumes make of it; null where no plan was. */
  readonly plannedStorageBytes: number | null;
  /** Its add-ons need more storage than there is: they cannot be had where it cannot grow. */
  readonly growsByAddons: boolean;
  /** Stands for all that the database said. */
  readonly factsHash: string;
}

interface Asked {
  /** The moment for which money is computed. */
  readonly at: Date;
  /** The cluster's storage cannot grow. */
  readonly keepsStorage: boolean;
}

/**
 * What a request means for an app as it is now, or a refusal in words. The same work for planning, approving and carrying
 * out: as long as the database says the same, it gives the same answer, and its hash tells when it does not.
 */
export async function prepareChange(
  tx: Tx,
  app: LockedApp,
  request: ChangeRequest,
  asked: Asked,
): Promise<PreparedChange> {
  const { subscription, instance, nextInvoice } = app;
  const { amountMinor: amountBeforeMinor, currency } = subscription;
  const before: ChangeShape = { ...shapeOf(instance), ...pickTerms(app) };
  const target = request.kind === "deprovision" ? prepareRemoval(app) : await prepareTarget(tx, app, request, asked);
  const { after, amountAfterMinor, plannedStorageBytes, growsByAddons } = target;
  const dueMinor = after === null ? 0n : await computeDue(tx, app, after, asked.at);
  const { addedMinor: addedTaxMinor } = deriveTaxes(dueMinor, await ratesOf(tx, asked.at));
  if (after !== null && amountAfterMinor !== amountBeforeMinor && nextInvoice?.status === "paid") {
    const words = "The next period is paid already, at the price of now. Change it once that period has begun.";
    throw new DomainError("ALREADY_RENEWED", words);
  }
  const { status, termNumber, periodIndex, currentPeriodEnd, cancelAtPeriodEnd } = subscription;
  const facts = {
    request,
    at: asked.at.toISOString(),
    instance: { generation: instance.generation, phase: instance.desiredPhase, pool: instance.nodePool },
    subscription: { status, termNumber, periodIndex, currentPeriodEnd, cancelAtPeriodEnd, currency },
    nextInvoice: nextInvoice === null ? null : { id: nextInvoice.id, status: nextInvoice.status },
    before,
    after,
    money: [amountBeforeMinor, amountAfterMinor, dueMinor, addedTaxMinor].map(String),
  };
  return {
    before,
    after,
    currency,
    amountBeforeMinor,
    amountAfterMinor,
    dueMinor,
    addedTaxMinor,
    plannedStorageBytes,
    growsByAddons,
    factsHash: sha256Hex(canonicalJson(facts)),
  };
}

interface Target {
  readonly after: ChangeShape | null;
  readonly amountAfterMinor: bigint;
  readonly plannedStorageBytes: number | null;
  readonly growsByAddons: boolean;
}

function prepareRemoval({ subscription }: LockedApp): Target {
  if (subscription.status === "cancelled") throw refuse("The subscription has ended already.");
  return { after: null, amountAfterMinor: 0n, plannedStorageBytes: null, growsByAddons: false };
}

async function prepareTarget(
  tx: Tx,
  app: LockedApp,
  request: Exclude<ChangeRequest, { kind: "deprovision" }>,
  asked: Asked,
): Promise<Target> {
  refuseUnlessRunning(app, tx.now);
  const target =
    request.kind === "resize"
      ? await prepareResize(tx, app, request.planId)
      : asksForAddons(request)
        ? await withPrices(tx, app, { ...shapeOf(app.instance), ...(await prepareAddons(tx, app, request)) })
        : await prepareUpdate(tx, app, request.kind, request.parameters);
  const blueprint = await loadBlueprint(tx, target.after.blueprintVersionId);
  const { limits } = app.instance;
  // Data is never squeezed: what a volume has, it keeps.
  const storageBytes = asked.keepsStorage
    ? limits.storageBytes
    : Math.max(limits.storageBytes, target.after.limits.storageBytes);
  const { baseMinor, held, after: shape } = target;
  const { planId, parameters, addons, priceId } = shape;
  await measureOwnMeters(tx, { priceId, blueprint, parameters });
  const { currency, nextTerms } = app.subscription;
  const items =
    baseMinor === null
      ? shape.items
      : await priceItems(tx, { planId, baseMinor, blueprint, parameters, currency, addons, held });
  const after = { ...shape, items, limits: { ...shape.limits, storageBytes } };
  if (nextTerms !== null && canonicalJson(items) !== canonicalJson(app.subscription.items))
    throw refuse("Another plan begins with the next period. Take that back first.");
  const problem = planFits(blueprint, after.limits);
  if (problem !== null) throw new DomainError("PLAN_UNAVAILABLE", problem);
  return {
    after,
    amountAfterMinor: totalOf(items),
    plannedStorageBytes: request.kind === "resize" ? target.after.limits.storageBytes : null,
    growsByAddons:
      target.after.limits.storageBytes > limits.storageBytes &&
      (await addonStorageBytes(tx, planId, addons)) >
        (await addonStorageBytes(tx, app.instance.planId, app.instance.addons)),
  };
}

interface Shaped {
  /** Its items are those of now. */
  readonly after: ChangeShape;
  /** Price of the plan alone; null where the terms stay as they are. */
  readonly baseMinor: bigint | null;
  /** Items whose add-ons keep the prices at which they were taken. */
  readonly held: readonly PricedItem[];
}

async function prepareResize(tx: Tx, app: LockedApp, planId: string): Promise<Shaped> {
  const { instance, subscription } = app;
  if (planId === instance.planId) throw refuse("The app is on this plan already.");
  // Its plan has begun with a period, at the terms that were agreed then, whatever the catalog says by now.
  if (planId === subscription.planId) {
    const { limits } = await getPlanTerms(tx, planId);
    const after = { ...shapeOf(instance), ...pickTerms(app), planId };
    return { after: { ...after, limits: await withAddons(tx, after, limits) }, baseMinor: null, held: [] };
  }
  const { plan } = await getOrderablePlan(tx, planId);
  const { offeringId } = await getPlanTerms(tx, instance.planId);
  const unavailable = (message: string): DomainError => new DomainError("PLAN_UNAVAILABLE", message);
  if (plan.offeringId !== offeringId) throw unavailable("This plan is for another app.");
  if (plan.price === null || plan.price.money.currency !== subscription.currency)
    throw unavailable("This plan has no price in the currency of the subscription.");
  if (plan.interval !== subscription.interval) throw unavailable("This plan has periods of another length.");
  // Its volume lies on machines of its pool, and would not come along.
  if (plan.nodePool !== instance.nodePool) throw unavailable("This plan runs on other machines.");
  if (plan.onePerPerson && !(await holdsFreePlace(tx, subscription.id)))
    throw unavailable("There is one of this plan for each person, and it goes with an app that was ordered on it.");
  refuseLostAddons(instance.addons, plan);
  const { limits, gracePeriodDays, pastDueDays, price } = plan;
  const terms = { ...pickTerms(app), priceId: price.id, gracePeriodDays, pastDueDays };
  const after = { ...shapeOf(instance), ...terms, planId };
  return {
    after: { ...after, limits: await withAddons(tx, after, limits) },
    baseMinor: price.money.amountMinor,
    held: [],
  };
}

async function prepareUpdate(
  tx: Tx,
  app: LockedApp,
  kind: "update" | "upgrade",
  given: Readonly<Record<string, unknown>>,
): Promise<Shaped> {
  const { instance } = app;
  const current = await loadBlueprint(tx, instance.blueprintVersionId);
  const blueprintVersionId =
    kind === "upgrade" ? (await getPlanTerms(tx, instance.planId)).blueprintVersionId : instance.blueprintVersionId;
  if (kind === "upgrade" && blueprintVersionId === instance.blueprintVersionId)
    throw refuse("The app is of the newest version already.");
  const next = await loadBlueprint(tx, blueprintVersionId);
  const parameters = mergeParameters({ current, next, chosen: instance.parameters, given });
  if (kind === "update" && canonicalJson(parameters) === canonicalJson(instance.parameters))
    throw refuse("There is nothing to change.");
  return withPrices(tx, app, { ...shapeOf(instance), blueprintVersionId, parameters });
}

/** On the same plan: its price is the one that was agreed to, and so are those of add-ons that are there. */
async function withPrices(tx: Tx, app: LockedApp, shape: InstanceShape): Promise<Shaped> {
  const { priceId, items } = app.subscription;
  const { money } = await getPrice(tx, priceId);
  return { after: { ...shape, ...pickTerms(app) }, baseMinor: money.amountMinor, held: items };
}

function pickTerms({ subscription }: LockedApp): Omit<SubscriptionTerms, "planId" | "amountMinor"> {
  const { priceId, items, gracePeriodDays, pastDueDays } = termsOf(subscription);
  return { priceId, items, gracePeriodDays, pastDueDays };
}

/**
 * Only what becomes dearer is charged, for the part of the period that is still to come. Nothing is given back, and so nobody pays twice
 * for the same time: what was paid up to in this period counts, also after a step down. A coupon that the running period was paid with
 * takes the same off all prices, so half off is half of the difference.
 */
async function computeDue(tx: Tx, { subscription }: LockedApp, after: ChangeShape, at: Date): Promise<bigint> {
  const { currentPeriodStart: start, currentPeriodEnd: end, amountMinor, items, planId } = subscription;
  assert(start !== null && end !== null, "a running subscription has a period");
  if (totalOf(after.items) <= amountMinor) return 0n;
  const { id: subscriptionId, termNumber, periodIndex } = subscription;
  const opened = await findInvoiceOfPeriod(tx, { subscriptionId, termNumber, periodIndex });
  const discount = opened === null ? null : await findDiscountOf(tx, opened.id);
  const priceOf = (terms: Pick<ChangeShape, "planId" | "items">): bigint =>
    totalOf(terms.items) - (discount === null ? 0n : discountMinor(discount, terms.planId, terms.items));
  const paid = [{ planId, items }, ...(await listPaidShapes(tx, { subscriptionId, start, opened }))].map(priceOf);
  const difference = priceOf(after) - paid.reduce((highest, price) => (price > highest ? price : highest));
  if (difference <= 0n) return 0n;
  const ms = (from: Date): bigint => BigInt(end.getTime() - from.getTime());
  return prorate(difference, at > start ? ms(at) : ms(start), ms(start));
}

/**
 * What the app was in the running period where that is paid to its end, and nothing of it was given back: that with which the period
 * began, and what became of it where the difference was asked for.
 */
async function listPaidShapes(
  tx: Tx,
  period: { readonly subscriptionId: string; readonly start: Date; readonly opened: InvoiceRow | null },
): Promise<readonly ChangeShape[]> {
  const { subscriptionId, start, opened } = period;
  const steps = await tx.sql
    .select({ change: instanceChanges, status: invoices.status, creditedMinor: invoices.creditedMinor })
    .from(instanceChanges)
    .leftJoin(invoices, eq(invoices.id, instanceChanges.invoiceId))
    .where(
      and(
        eq(instanceChanges.organizationId, organizationOf(tx)),
        eq(instanceChanges.subscriptionId, subscriptionId),
        eq(instanceChanges.status, "executed"),
        gte(instanceChanges.plannedAt, start),
      ),
    )
    .orderBy(asc(instanceChanges.id));
  const [first] = steps;
  const isKept = (money: { readonly status: string | null; readonly creditedMinor: bigint | null } | null): boolean =>
    money?.status === "paid" && money.creditedMinor === 0n;
  const paid = steps.filter((step) => step.change.dueMinor > 0n && isKept(step));
  return [
    ...(first !== undefined && isKept(opened) ? [shapesOf(first.change).before] : []),
    ...paid.map(({ change }) => shapesOf(change).after).filter((shape) => shape !== null),
  ];
}

function refuseUnlessRunning({ subscription, instance }: LockedApp, now: Date): void {
  if (subscription.status !== "active") throw refuse("The subscription of this app is not running.");
  if (instance.readyAt === null || instance.desiredPhase === "absent") throw refuse("The app is not ready yet.");
  if (subscription.currentPeriodEnd === null || now >= subscription.currentPeriodEnd)
    throw refuse("The period is over. Try again once the next one has begun.");
}

function refuse(message: string): DomainError {
  return new DomainError("INVALID_TRANSITION", message);
}
