import { type OrderView, type Quote, toPublicId } from "@sewa/core";
import type { ParameterValueDto } from "../offerings/dto.ts";
import { toUsagePriceDto } from "../offerings/to-dto.ts";
import { toQuoteLineDto } from "../quote-lines.ts";
import { toSubscriptionDto } from "../subscriptions/to-dto.ts";
import { toTaxDto } from "../tax-to-dto.ts";
import type { OrderDto, QuoteDto } from "./dto.ts";

export function toQuoteDto(quote: Quote): QuoteDto {
  const { offering, plan, priceKey, lines, taxes, total, laterTotal, discount, trialPeriods, period } = quote;
  const { renewalOpensAt, dataDeletedAt, capacity } = quote;
  return {
    planId: toPublicId("plan", plan.id),
    planName: plan.name,
    offering: { slug: offering.slug, name: offering.name },
    priceKey,
    lines: lines.map((line) => toQuoteLineDto(line, total.currency)),
    taxes: taxes.map(toTaxDto),
    total,
    laterTotal,
    couponPeriods: discount?.periods ?? null,
    trialPeriods,
    usagePrices: (plan.price?.usage ?? []).map((usage) => toUsagePriceDto(usage, total.currency)),
    period,
    renewalOpensAt,
    dataDeletedAt,
    capacity: { fits: capacity.fits, reason: capacity.fits ? null : capacity.reason },
  };
}

export function toOrderDto({ order, status, subscription }: OrderView): OrderDto {
  return {
    id: toPublicId("order", order.id),
    status,
    planId: toPublicId("plan", order.planId),
    parameters: toParameterValues(order.parameters),
    addons: { ...order.addons },
    total: { amountMinor: order.totalMinor, currency: order.currency },
    taxMinor: order.taxMinor,
    placedAt: order.placedAt,
    subscription: toSubscriptionDto(subscription),
  };
}

/** Only such values are ever ordered; the column just cannot say so. */
export function toParameterValues(parameters: Readonly<Record<string, unknown>>): OrderDto["parameters"] {
  const entries = Object.entries(parameters).filter((entry): entry is [string, ParameterValueDto] =>
    ["string", "number", "boolean"].includes(typeof entry[1]),
  );
  return Object.fromEntries(entries);
}
