/** Steps of an operation, in the order in which a customer sees them. */
export const stepKeys = [
  "queued",
  "namespace",
  "secrets",
  "volume",
  "workload",
  "pods",
  "claim",
  "address",
  "health",
  "ready",
] as const;
export type StepKey = (typeof stepKeys)[number];
export type StepStatus = "pending" | "running" | "done" | "skipped" | "failed";
