export { awaitsMeasurement } from "./awaits-measurement.ts";
export { type DeletedUsage, deleteOldUsage } from "./delete-old-usage.ts";
export { getInstanceMetrics, type InstanceMetrics } from "./get-instance-metrics.ts";
export type { MeasuredUsage, WorkloadUsage } from "./measured-usage.ts";
export { type MetricPoint, type MetricRange, metricRangeNames } from "./metrics.ts";
export { measureOwnMeters, noteUsageTerms } from "./note-usage-terms.ts";
export { rateSimulatedUsage, rateUsage } from "./rate-usage.ts";
export { listUsageOfDays, sumUsageOfPeriod, type UsageOfDay } from "./read-usage.ts";
export {
  billUsage,
  hasAppsChargedByUse,
  isChargedByUse,
  readUnbilledUsage,
  releaseUsage,
  type UnbilledUsage,
  type UsageKey,
} from "./records.ts";
export { recordUsage } from "./record-usage.ts";
export { simulateHours } from "./simulate-hours.ts";
