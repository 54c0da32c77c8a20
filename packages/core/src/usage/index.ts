export { type DeletedUsage, deleteOldUsage } from "./delete-old-usage.ts";
export { getInstanceMetrics, type InstanceMetrics } from "./get-instance-metrics.ts";
export type { MeasuredUsage, WorkloadUsage } from "./measured-usage.ts";
export { type MetricPoint, type MetricRange, metricRangeNames } from "./metrics.ts";
export { recordUsage } from "./record-usage.ts";
