import type { InstanceMetrics } from "@sewa/core";
import type { InstanceMetricsDto } from "./dto.ts";

export function toInstanceMetricsDto(metrics: InstanceMetrics): InstanceMetricsDto {
  const { range, stepSeconds, from, to, limits, points } = metrics;
  return { range, stepSeconds, from, to, limits, points };
}
