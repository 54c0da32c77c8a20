import { capacityRefusals } from "@sewa/core";
import { z } from "zod";
import { couponCode } from "../coupons/schema.ts";
import { quoteLinesSchema } from "../quote-lines.ts";
import { addonCounts, addonCountsSchema, usagePriceSchema } from "../offerings/schema.ts";
import {
  idempotencyKey,
  moneySchema,
  name,
  offeringRefSchema,
  opaque,
  pageSchema,
  periodSchema,
  publicId,
  type Schema,
  taxSchema,
} from "../schema.ts";
import { subscriptionSchema } from "../subscriptions/schema.ts";
import type { CapacityDto, OrderDto, OrderInput, OrderPageDto, PlaceOrderInput, QuoteDto, QuoteInput } from "./dto.ts";

const maxParameters = 100;
const maxParameterNameCharacters = 100;
const maxParameterCharacters = 5_000;

export const parameterValues = z
  .record(opaque(maxParameterNameCharacters), z.union([opaque(maxParameterCharacters), z.number(), z.boolean()]))
  .refine((values) => Object.keys(values).length <= maxParameters, `Send at most ${maxParameters} parameters.`);
const quoteShape = {
  planId: publicId,
  parameters: parameterValues,
  addons: addonCounts.optional(),
  couponCode: couponCode.optional(),
  withTrial: z.boolean().optional(),
};

export const quoteInput: Schema<QuoteInput> = z.strictObject(quoteShape);
export const placeOrderInput: Schema<PlaceOrderInput> = z.strictObject({
  ...quoteShape,
  name,
  priceKey: z.string().regex(/^[0-9a-f]{32}$/),
  idempotencyKey,
});
export const orderInput: Schema<OrderInput> = z.strictObject({ orderId: publicId });

export const capacitySchema: Schema<CapacityDto> = z.strictObject({
  fits: z.boolean(),
  reason: z.enum(capacityRefusals).nullable(),
});

export const quoteSchema: Schema<QuoteDto> = z.strictObject({
  planId: z.string(),
  planName: z.string(),
  offering: offeringRefSchema,
  priceKey: z.string(),
  lines: quoteLinesSchema,
  taxes: z.array(taxSchema),
  total: moneySchema,
  usagePrices: z.array(usagePriceSchema),
  laterTotal: moneySchema,
  couponPeriods: z.int().nullable(),
  trialPeriods: z.int().nullable(),
  period: periodSchema,
  renewalOpensAt: z.date(),
  dataDeletedAt: z.date(),
  capacity: capacitySchema,
});

export const orderSchema: Schema<OrderDto> = z.strictObject({
  id: z.string(),
  status: z.enum(["awaiting_payment", "completed", "cancelled"]),
  planId: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  addons: addonCountsSchema,
  total: moneySchema,
  taxMinor: z.bigint(),
  placedAt: z.date(),
  subscription: subscriptionSchema,
});
export const orderPageSchema: Schema<OrderPageDto> = pageSchema(orderSchema);
