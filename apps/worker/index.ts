export { auditInventory, type AuditDeps, type AuditOutcome } from "./audit-inventory.ts";
export { envSchema as workerEnvSchema, readEnv } from "./env.ts";
export { type ClusterOptions, openTaskContext, type TaskContext } from "./context.ts";
export { toWorkerOptions } from "./options.ts";
export { createLog, type Logger } from "./log.ts";
export { startWorker, type Worker, type WorkerEnd, type WorkerOptions } from "./start-worker.ts";
