import { z } from "zod";
import { quoteLinesSchema } from "../quote-lines.ts";
import {
  idempotencyKey,
  inputDate,
  moneySchema,
  name,
  offeringRefSchema,
  pageSchema,
  publicId,
  type Schema,
} from "../schema.ts";
import type {
  CancelNowInput,
  ChangePlanInput,
  ChangeSubscriptionInput,
  PlanChangePreviewDto,
  PreviewChangeInput,
  SubscriptionDto,
  SubscriptionInput,
  SubscriptionPageDto,
} from "./dto.ts";

export const subscriptionInput: Schema<SubscriptionInput> = z.strictObject({ subscriptionId: publicId });
export const changeSubscriptionInput: Schema<ChangeSubscriptionInput> = z.strictObject({
  subscriptionId: publicId,
  idempotencyKey,
});
export const cancelNowInput: Schema<CancelNowInput> = z.strictObject({
  subscriptionId: publicId,
  confirmName: name,
  idempotencyKey,
});

const moment = z.date().nullable();

export const subscriptionSchema: Schema<SubscriptionDto> = z.strictObject({
  id: z.string(),
  status: z.enum(["pending", "active", "past_due", "expired", "cancelled"]),
  orderId: z.string().nullable(),
  instanceId: z.string(),
  instanceName: z.string(),
  offering: offeringRefSchema,
  planId: z.string(),
  planName: z.string(),
  price: moneySchema,
  nextPlan: z.strictObject({ id: z.string(), name: z.string(), price: moneySchema }).nullable(),
  interval: z.enum(["P30D", "P1M"]),
  gracePeriodDays: z.int(),
  pastDueDays: z.int(),
  termNumber: z.int(),
  periodIndex: z.int(),
  currentPeriodStart: moment,
  currentPeriodEnd: moment,
  cancelAtPeriodEnd: z.boolean(),
  orderedAt: z.date(),
  activatedAt: moment,
  pastDueAt: moment,
  expiredAt: moment,
  graceEndsAt: moment,
  cancelledAt: moment,
  cancelReason: z.enum(["customer", "order_expired", "provisioning_failed", "grace_over", "operator"]).nullable(),
  cappedAt: moment,
  purgedAt: moment,
  nextInvoice: z
    .strictObject({
      id: z.string(),
      status: z.enum(["draft", "open", "paid", "void", "uncollectible"]),
      total: moneySchema,
      dueAt: moment,
    })
    .nullable(),
});
const choice = { subscriptionId: publicId, planId: publicId, moment: z.enum(["now", "period_end"]) };
export const previewChangeInput: Schema<PreviewChangeInput> = z.strictObject(choice);
export const changePlanInput: Schema<ChangePlanInput> = z.strictObject({
  ...choice,
  at: inputDate,
  priceKey: z.string().length(32),
  idempotencyKey,
});
export const planChangePreviewSchema: Schema<PlanChangePreviewDto> = z.strictObject({
  priceBefore: moneySchema,
  priceAfter: moneySchema,
  lines: quoteLinesSchema,
  due: moneySchema,
  startsAt: z.date(),
  at: z.date(),
  priceKey: z.string(),
});
export const subscriptionPageSchema: Schema<SubscriptionPageDto> = pageSchema(subscriptionSchema);
