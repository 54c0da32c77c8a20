export { type CurrentUsage, getCurrentUsage, type MeterUsage } from "./current-usage.ts";
export { getSpendingLimits, maxAlerts, setSpendingLimits, type SpendingLimits } from "./limits.ts";
export { getUsageHistory, maxHistoryDays, type UsageHistory } from "./usage-history.ts";
export { watchSpending } from "./watch-spending.ts";
