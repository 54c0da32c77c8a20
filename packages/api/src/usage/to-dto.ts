import {
  type CurrentUsage,
  type InstanceMetrics,
  type SpendingLimits,
  toPublicId,
  type UsageHistory,
} from "@sewa/core";
import { toUsagePriceDto } from "../offerings/to-dto.ts";
import type { CurrentUsageDto, InstanceMetricsDto, SpendingLimitsDto, UsageHistoryDto } from "./dto.ts";

export function toInstanceMetricsDto(metrics: InstanceMetrics): InstanceMetricsDto {
  const { range, stepSeconds, from, to, limits, points } = metrics;
  return { range, stepSeconds, from, to, limits, points };
}

export function toCurrentUsageDto(usage: CurrentUsage): CurrentUsageDto {
  const { subscriptionId, period, currency, meters, totalMinor, projectedTotalMinor, cappedAt } = usage;
  const money = (amountMinor: bigint) => ({ amountMinor, currency });
  return {
    subscriptionId: toPublicId("subscription", subscriptionId),
    periodStart: period?.start ?? null,
    periodEnd: period?.end ?? null,
    meters: meters.map((meter) => ({
      ...toUsagePriceDto(meter, currency),
      quantity: meter.quantity,
      amount: money(meter.amountMinor),
      projectedQuantity: meter.projectedQuantity,
      projectedAmount: money(meter.projectedAmountMinor),
    })),
    total: money(totalMinor),
    projectedTotal: money(projectedTotalMinor),
    cappedAt,
  };
}

export function toUsageHistoryDto({ subscriptionId, timeZone, from, to, days }: UsageHistory): UsageHistoryDto {
  return { subscriptionId: toPublicId("subscription", subscriptionId), timeZone, from, to, days };
}

export function toSpendingLimitsDto(limits: SpendingLimits): SpendingLimitsDto {
  const { subscriptionId, currency, alertAmounts, capMinor } = limits;
  return {
    subscriptionId: toPublicId("subscription", subscriptionId),
    alerts: alertAmounts.map((amountMinor) => ({ amountMinor, currency })),
    cap: capMinor === null ? null : { amountMinor: capMinor, currency },
  };
}
