import { openTaskContext, type TaskContext } from "./context.ts";
import { readEnv } from "./env.ts";
import { createLog } from "./log.ts";
import { toWorkerOptions } from "./options.ts";

/** What a process of the stock `graphile-worker` command runs with: the same environment as the worker's. */
const env = readEnv();
export const stockOptions = toWorkerOptions(env, createLog({ level: env.LOG_LEVEL }));

let context: TaskContext | null = null;

/** Opened with the first job, so that `--schema-only` and `--cleanup` need nothing but the queue. */
export function stockContext(): TaskContext {
  if (context === null) {
    context = openTaskContext(stockOptions);
    // The first jobs may still go by the clock of this machine.
    void context.keepTime().catch(() => undefined);
  }
  return context;
}

/** Open connections would keep the process alive after its last job. */
export async function closeStockContext(): Promise<void> {
  await context?.[Symbol.asyncDispose]();
  context = null;
}
