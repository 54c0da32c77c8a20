import { type PlanChangePreview, type SubscriptionView, toPublicId } from "@sewa/core";
import { toQuoteLines } from "../quote-lines.ts";
import type { NextInvoiceDto, NextPlanDto, PlanChangePreviewDto, SubscriptionDto } from "./dto.ts";

export function toSubscriptionDto(view: SubscriptionView): SubscriptionDto {
  const { subscription, orderId, nextInvoice } = view;
  const { status, interval, gracePeriodDays, pastDueDays, termNumber, periodIndex, cancelAtPeriodEnd, cancelReason } =
    subscription;
  const { currentPeriodStart, currentPeriodEnd, orderedAt, activatedAt, pastDueAt, expiredAt, graceEndsAt } =
    subscription;
  return {
    id: toPublicId("subscription", subscription.id),
    status,
    orderId: orderId === null ? null : toPublicId("order", orderId),
    instanceId: toPublicId("instance", view.instanceId),
    instanceName: view.instanceName,
    offering: { slug: view.offeringSlug, name: view.offeringName },
    planId: toPublicId("plan", subscription.planId),
    planName: view.planName,
    price: { amountMinor: subscription.amountMinor, currency: subscription.currency },
    nextPlan: toNextPlanDto(view),
    interval,
    gracePeriodDays,
    pastDueDays,
    termNumber,
    periodIndex,
    currentPeriodStart,
    currentPeriodEnd,
    cancelAtPeriodEnd,
    orderedAt,
    activatedAt,
    pastDueAt,
    expiredAt,
    graceEndsAt,
    cancelledAt: subscription.cancelledAt,
    cancelReason,
    cappedAt: subscription.cappedAt,
    purgedAt: subscription.purgedAt,
    nextInvoice: nextInvoice === null ? null : toNextInvoiceDto(nextInvoice),
  };
}

function toNextInvoiceDto(invoice: NonNullable<SubscriptionView["nextInvoice"]>): NextInvoiceDto {
  const { id, status, totalMinor, currency, dueAt } = invoice;
  return { id: toPublicId("invoice", id), status, total: { amountMinor: totalMinor, currency }, dueAt };
}

function toNextPlanDto({ nextPlan, subscription: { currency } }: SubscriptionView): NextPlanDto | null {
  if (nextPlan === null) return null;
  const { id, name, amountMinor } = nextPlan;
  return { id: toPublicId("plan", id), name, price: { amountMinor, currency } };
}

export function toPlanChangePreviewDto(preview: PlanChangePreview): PlanChangePreviewDto {
  const { currency, amountBeforeMinor, amountAfterMinor, dueMinor, items, startsAt, at, priceKey } = preview;
  return {
    priceBefore: { amountMinor: amountBeforeMinor, currency },
    priceAfter: { amountMinor: amountAfterMinor, currency },
    lines: toQuoteLines(items, currency),
    due: { amountMinor: dueMinor, currency },
    startsAt,
    at,
    priceKey,
  };
}
