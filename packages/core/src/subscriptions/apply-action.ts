import {
  addBillingPeriod,
  type InvoiceRow,
  listOpenInvoices,
  listPaidInvoices,
  markUncollectible,
  type NewPayment,
  payInvoice,
  refundInvoice,
  totalOfLines,
  voidInvoice,
} from "../billing/index.ts";
import { releaseCapacity } from "../capacity/index.ts";
import { addMs } from "../clock.ts";
import type { Tx } from "../context.ts";
import { returnCoupon } from "../coupons/index.ts";
import { assert, unreachable } from "../errors.ts";
import { record } from "../events/index.ts";
import { lockInstanceOfSubscription, markNeverProvisioned, setDesired, wantedPhase } from "../instances/index.ts";
import { enqueue } from "../jobs/index.ts";
import { notifyOwner } from "../notifications/index.ts";
import { addDays, periodAt } from "../periods.ts";
import { isChargedByUse, noteUsageTerms } from "../usage/index.ts";
import { lockWallet } from "../wallet/index.ts";
import { beginNextTerms } from "./change-terms.ts";
import { goesOnByItself } from "./charge.ts";
import { draftInvoice, openDraft } from "./draft-invoice.ts";
import { type LoadedSubscription, updateSubscription } from "./load-subscription.ts";
import { mailFacts } from "./mail-facts.ts";
import {
  type CancelReason,
  expiryDueAt,
  lateUsageMs,
  leastGraceDays,
  nextPeriod,
  nextPeriodKey,
  type SubscriptionAction,
  type SubscriptionRow,
  usagePaymentDays,
} from "./subscription.ts";
import { returnFreePlace } from "./free-place.ts";
import { returnTrial } from "./trial.ts";

/** Does one step: its writes, its events, its mail, and what it means for the instance. The caller has locked the row. */
export async function applyAction(tx: Tx, loaded: LoadedSubscription, action: SubscriptionAction): Promise<void> {
  switch (action.type) {
    case "activate":
      return beginTerm(tx, loaded, "subscription.activated");
    case "reactivate":
      return beginTerm(tx, loaded, "subscription.reactivated");
    case "open_renewal":
      return openRenewal(tx, loaded);
    case "advance":
      return advance(tx, loaded);
    case "become_past_due":
      return becomePastDue(tx, loaded);
    case "expire":
      return expire(tx, loaded);
    case "cancel":
      return cancel(tx, loaded, action.reason);
    case "purge":
      return purge(tx, loaded);
    case "settle_usage":
      return settleUsage(tx, loaded);
    default:
      return unreachable(action);
  }
}

/** The anchor is the moment of payment: time in which nothing ran is never charged. */
async function beginTerm(
  tx: Tx,
  { subscription, nextInvoice }: LoadedSubscription,
  type: "subscription.activated" | "subscription.reactivated",
): Promise<void> {
  const paidAt = nextInvoice?.paidAt;
  assert(nextInvoice !== null && paidAt != null, "a term begins with a paid invoice");
  const { termNumber, periodIndex } = nextPeriodKey(subscription);
  const period = periodAt(paidAt, subscription.interval, subscription.timeZone, 0);
  await addBillingPeriod(tx, {
    subscriptionId: subscription.id,
    termNumber,
    periodIndex,
    period,
    invoiceId: nextInvoice.id,
  });
  const after = await updateSubscription(tx, subscription, {
    status: "active",
    termNumber,
    periodIndex,
    billingAnchorAt: paidAt,
    currentPeriodStart: period.start,
    currentPeriodEnd: period.end,
    activatedAt: subscription.activatedAt ?? tx.now,
    cancelAtPeriodEnd: false,
    expiredAt: null,
    graceEndsAt: null,
    pastDueAt: null,
    cappedAt: null,
  });
  recordChange(tx, type, subscription, after, { periodEnd: period.end.toISOString() });
  await applyPhase(tx, subscription.id);
}

/** Asks for the next period. The plan, its price and its words are those of the order. */
export async function openRenewal(tx: Tx, { subscription }: Pick<LoadedSubscription, "subscription">): Promise<void> {
  const draft = await draftInvoice(tx, subscription);
  const invoice = await openDraft(tx, draft);
  if (invoice.reason === "renewal" && goesOnByItself(subscription, invoice.totalMinor))
    await payInvoice(tx, invoice, nothingToPay(invoice));
  await updateSubscription(tx, subscription, {});
  if (invoice.totalMinor > 0n && draft.endsTrial) await tellPrice(tx, subscription, invoice);
  // Whoever collects it tells the customer, if the money does not come by itself.
  if (invoice.totalMinor > 0n) await enqueue(tx, "invoice:collect", { invoiceId: invoice.id });
}

/** Before the first period at the price, however that is paid. */
async function tellPrice(tx: Tx, subscription: SubscriptionRow, invoice: InvoiceRow): Promise<void> {
  const { totalMinor, currency } = invoice;
  const { start } = nextPeriod(subscription);
  await notifyOwner(tx, {
    kind: "trial_ending",
    dedupeKey: `trial_ending:${subscription.id}`,
    data: {
      ...(await mailFacts(tx, subscription)),
      amountMinor: totalMinor.toString(),
      currency,
      endsAt: start.toISOString(),
    },
  });
}

/** Of what costs nothing. */
export function nothingToPay({ currency }: InvoiceRow): NewPayment {
  return { amountMinor: 0n, currency, provider: "manual", reference: null };
}

/** The next period of the term begins where the last one ended, whenever this runs. */
async function advance(tx: Tx, { subscription, nextInvoice, instance }: LoadedSubscription): Promise<void> {
  assert(nextInvoice?.status === "paid", "a period begins with a paid invoice");
  const key = nextPeriodKey(subscription);
  const period = nextPeriod(subscription);
  await addBillingPeriod(tx, { subscriptionId: subscription.id, ...key, period, invoiceId: nextInvoice.id });
  const after = await updateSubscription(tx, subscription, {
    status: "active",
    ...key,
    currentPeriodStart: period.start,
    currentPeriodEnd: period.end,
    pastDueAt: null,
    cappedAt: null,
    ...beginNextTerms(tx, subscription),
  });
  if (subscription.nextTerms !== null) {
    await noteUsageTerms(tx, subscription.id, { startsAt: period.start });
    await enqueue(tx, "change:reconcile", { instanceId: instance.id });
  }
  recordChange(tx, "subscription.renewed", subscription, after, { periodEnd: period.end.toISOString() });
  await applyPhase(tx, subscription.id);
}

async function becomePastDue(tx: Tx, { subscription }: LoadedSubscription): Promise<void> {
  const after = await updateSubscription(tx, subscription, { status: "past_due", pastDueAt: tx.now });
  recordChange(tx, "subscription.pastDue", subscription, after, { pastDueDays: subscription.pastDueDays });
}

/** Nothing runs any more and the data is kept. What ran unpaid is a period of its own, cut here. */
async function expire(tx: Tx, { subscription, nextInvoice }: LoadedSubscription): Promise<void> {
  // Locks in their order: the wallet, to which a part may go back, before the node pool.
  if (nextInvoice?.status === "open") await lockWallet(tx, subscription.currency);
  const graceEndsAt = graceEnd(subscription, tx.now);
  const after = await updateSubscription(tx, subscription, {
    status: "expired",
    expiredAt: tx.now,
    graceEndsAt,
    ...beginNextTerms(tx, subscription),
  });
  if (subscription.nextTerms !== null) await noteUsageTerms(tx, subscription.id);
  recordChange(tx, "subscription.expired", subscription, after, { graceEndsAt: graceEndsAt.toISOString() });
  await applyPhase(tx, subscription.id);
  if (nextInvoice?.status === "open") {
    if (subscription.status === "past_due")
      await cutUnpaidPeriod(tx, subscription, nextInvoice, "The days past due are over.");
    else await voidInvoice(tx, nextInvoice, "The subscription expired before it was paid.");
  }
  await notifyOwner(tx, {
    kind: "app_expired",
    dedupeKey: `app_expired:${subscription.id}:${subscription.termNumber}`,
    data: { ...(await mailFacts(tx, subscription)), deletesAt: graceEndsAt.toISOString() },
  });
}

/**
 * Counted from the moment at which it was due, not from when somebody looked. But who could not be served in between, as
 * after an outage of weeks, still gets days to react before the data goes.
 */
function graceEnd(subscription: SubscriptionRow, now: Date): Date {
  const { gracePeriodDays, timeZone } = subscription;
  const counted = addDays(expiryDueAt(subscription), gracePeriodDays, timeZone);
  const least = addDays(now, Math.min(gracePeriodDays, leastGraceDays), timeZone);
  return counted > least ? counted : least;
}

async function cutUnpaidPeriod(
  tx: Tx,
  subscription: SubscriptionRow,
  invoice: InvoiceRow,
  reason: string,
): Promise<void> {
  const whole = nextPeriod(subscription);
  const part = { start: whole.start, end: tx.now < whole.end ? tx.now : whole.end };
  await addBillingPeriod(tx, {
    subscriptionId: subscription.id,
    ...nextPeriodKey(subscription),
    period: part,
    invoiceId: invoice.id,
  });
  await markUncollectible(tx, invoice, reason);
  // Time in which nothing runs is charged to nobody, so what was paid for it goes back.
  if (invoice.paidMinor > 0n) await refundInvoice(tx, invoice, reason, { served: { part, whole } });
}

/** Terminal for money, and the cause of deletion. Nobody pays for an app that never became ready. */
export async function cancel(tx: Tx, loaded: LoadedSubscription, reason: CancelReason): Promise<void> {
  const { subscription, instance } = loaded;
  const open = await listOpenInvoices(tx, subscription.id);
  const unused = await listUnused(tx, loaded);
  // Locks in their order: the wallet, the coupon, the node pool, and the counter of credit notes after it.
  if (open.length + unused.length > 0) await lockWallet(tx, subscription.currency);
  if (instance.readyAt === null) {
    await returnCoupon(tx, subscription.id);
    await returnTrial(tx, subscription.id);
  }
  await returnFreePlace(tx, subscription.id);
  const after = await updateSubscription(tx, subscription, {
    status: "cancelled",
    cancelledAt: tx.now,
    cancelReason: reason,
    cancelAtPeriodEnd: false,
    nextTerms: null,
    reshapeDueAt: null,
    closingDueAt: (await isChargedByUse(tx, subscription.id)) ? addMs(tx.now, lateUsageMs) : null,
  });
  recordChange(tx, "subscription.cancelled", subscription, after, { reason });
  await applyPhase(tx, subscription.id);
  for (const invoice of open) {
    const wasUsed = invoice.id === loaded.nextInvoice?.id && ranUnpaid(loaded, tx.now);
    if (wasUsed) await cutUnpaidPeriod(tx, subscription, invoice, `Cancelled: ${reason}.`);
    else await voidInvoice(tx, invoice, `Cancelled: ${reason}.`);
  }
  const why = instance.readyAt === null ? "The app never became ready." : "The period had not begun.";
  for (const invoice of unused) await refundInvoice(tx, invoice, why);
  if (reason === "provisioning_failed") {
    await notifyOwner(tx, {
      kind: "app_failed",
      dedupeKey: `app_failed:${subscription.id}`,
      data: { appName: instance.name, isRefunded: subscription.amountMinor > 0n },
    });
  }
}

/** In its days past due: that is a period too, and what was used in it is asked for. */
function ranUnpaid({ subscription, instance }: LoadedSubscription, now: Date): boolean {
  return subscription.status === "past_due" && instance.readyAt !== null && now > nextPeriod(subscription).start;
}

/** A period that has not begun was paid for nothing; and so was everything for an app that never became ready. */
async function listUnused(
  tx: Tx,
  { subscription, instance, nextInvoice }: LoadedSubscription,
): Promise<readonly InvoiceRow[]> {
  if (instance.readyAt === null) return listPaidInvoices(tx, subscription.id);
  return nextInvoice?.status === "paid" ? [nextInvoice] : [];
}

/**
 * All that was used before the cancellation is known by now: what it costs is asked for once, and given up when nobody
 * pays it in time.
 */
async function settleUsage(tx: Tx, { subscription, usageInvoice }: LoadedSubscription): Promise<void> {
  if (usageInvoice !== null) {
    await markUncollectible(tx, usageInvoice, `Not paid within ${usagePaymentDays} days.`);
    await updateSubscription(tx, subscription, { closingDueAt: null });
    return;
  }
  const draft = await draftInvoice(tx, subscription);
  const isOwed = totalOfLines(draft.lines) > 0n;
  if (isOwed) await enqueue(tx, "invoice:collect", { invoiceId: (await openDraft(tx, draft)).id });
  const closingDueAt = isOwed ? addDays(tx.now, usagePaymentDays, subscription.timeZone) : null;
  await updateSubscription(tx, subscription, { closingDueAt });
}

async function purge(tx: Tx, { subscription, instance }: LoadedSubscription): Promise<void> {
  const after = await updateSubscription(tx, subscription, { purgedAt: tx.now });
  recordChange(tx, "subscription.purged", subscription, after, {});
  if (instance.readyAt === null) return;
  await notifyOwner(tx, {
    kind: "app_deleted",
    dedupeKey: `app_deleted:${subscription.id}`,
    data: { appName: instance.name },
  });
}

/** Brings what is wanted of the instance in line with what is owed for it. */
export async function applyPhase(tx: Tx, subscriptionId: string): Promise<void> {
  const locked = await lockInstanceOfSubscription(tx, subscriptionId);
  const phase = wantedPhase(locked);
  const releasesCapacity = locked.subscriptionStatus === "expired" || locked.subscriptionStatus === "cancelled";
  const { instance } = await setDesired(tx, locked.instance, { phase, releasesCapacity });
  // Cancelled before anything was made: there is nothing that the cluster could confirm.
  if (phase === "absent" && instance.generation === 1) {
    await releaseCapacity(tx, instance.id);
    await markNeverProvisioned(tx, instance);
  }
}

export function recordChange(
  tx: Tx,
  type: Parameters<typeof record>[1]["type"],
  before: SubscriptionRow,
  after: SubscriptionRow,
  data: Readonly<Record<string, unknown>>,
): void {
  const { status, currentPeriodEnd, cancelAtPeriodEnd, purgedAt } = after;
  record(tx, {
    type,
    subscriptionId: after.id,
    data,
    before: {
      status: before.status,
      currentPeriodEnd: before.currentPeriodEnd,
      cancelAtPeriodEnd: before.cancelAtPeriodEnd,
    },
    after: { status, currentPeriodEnd, cancelAtPeriodEnd, purgedAt },
  });
}
