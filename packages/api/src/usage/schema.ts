import { maxAlerts, metricRangeNames } from "@sewa/core";
import { z } from "zod";
import { usagePriceShape } from "../offerings/schema.ts";
import { inputDay, maxAmountMinor, moneySchema, publicId, type Schema } from "../schema.ts";
import type {
  CurrentUsageDto,
  InstanceMetricsDto,
  InstanceMetricsInput,
  MetricPointDto,
  SetLimitsInput,
  SpendingLimitsDto,
  UsageHistoryDto,
  UsageHistoryInput,
} from "./dto.ts";

const range = z.enum(metricRangeNames);

export const instanceMetricsInput: Schema<InstanceMetricsInput> = z.strictObject({
  instanceId: publicId,
  range: range.optional(),
});

const pointSchema: Schema<MetricPointDto> = z.strictObject({
  start: z.date(),
  cpu: z.strictObject({ averageMillis: z.int(), maxMillis: z.int() }).nullable(),
  memory: z.strictObject({ averageBytes: z.int(), maxBytes: z.int() }).nullable(),
  storageBytes: z.int().nullable(),
});

export const instanceMetricsSchema: Schema<InstanceMetricsDto> = z.strictObject({
  range,
  stepSeconds: z.int(),
  from: z.date(),
  to: z.date(),
  limits: z.strictObject({ cpuMillis: z.int(), memoryBytes: z.int(), storageBytes: z.int() }),
  points: z.array(pointSchema),
});

const minor = z.bigint().positive().max(maxAmountMinor);
const moment = z.date().nullable();

export const usageHistoryInput: Schema<UsageHistoryInput> = z.strictObject({
  subscriptionId: publicId,
  from: inputDay.optional(),
  to: inputDay.optional(),
});
export const setLimitsInput: Schema<SetLimitsInput> = z.strictObject({
  subscriptionId: publicId,
  alertAmounts: z.array(minor).max(maxAlerts).readonly().optional(),
  capMinor: minor.nullish(),
});

export const currentUsageSchema: Schema<CurrentUsageDto> = z.strictObject({
  subscriptionId: z.string(),
  periodStart: moment,
  periodEnd: moment,
  meters: z.array(
    z.strictObject({
      ...usagePriceShape,
      quantity: z.bigint(),
      amount: moneySchema,
      projectedQuantity: z.bigint(),
      projectedAmount: moneySchema,
    }),
  ),
  total: moneySchema,
  projectedTotal: moneySchema,
  cappedAt: moment,
});

export const usageHistorySchema: Schema<UsageHistoryDto> = z.strictObject({
  subscriptionId: z.string(),
  timeZone: z.string(),
  from: z.string(),
  to: z.string(),
  days: z.array(
    z.strictObject({
      day: z.string(),
      meter: z.string(),
      label: z.string(),
      unit: z.string(),
      unitQuantity: z.bigint(),
      quantity: z.bigint(),
    }),
  ),
});

export const spendingLimitsSchema: Schema<SpendingLimitsDto> = z.strictObject({
  subscriptionId: z.string(),
  alerts: z.array(moneySchema),
  cap: moneySchema.nullable(),
});
