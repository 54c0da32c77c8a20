import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import type {} from "graphile-config";
import type { WorkerEvents } from "graphile-worker";
import { graphileLogger } from "./log.ts";
import { crontabFile, queueSettings } from "./queue.ts";
import { closeStockContext, stockOptions } from "./stock.ts";

const events: WorkerEvents = new EventEmitter();
events.on("pool:release", () => void closeStockContext());

/** The command knows one way to say how to connect, so the role goes into the address. */
function asWorker(url: string): string {
  const address = new URL(url);
  address.searchParams.set("options", "-c role=sewa_worker");
  return address.href;
}

/** For the stock command: `graphile-worker -C apps/worker/graphile.config.ts [--once]`. */
const preset: GraphileConfig.Preset = {
  worker: {
    ...queueSettings,
    connectionString: asWorker(stockOptions.databaseUrl),
    concurrentJobs: stockOptions.jobConcurrency,
    maxPoolSize: stockOptions.jobConcurrency + 1,
    taskDirectory: fileURLToPath(new URL("./graphile-tasks.ts", import.meta.url)),
    crontabFile: fileURLToPath(crontabFile),
    logger: graphileLogger(stockOptions.log),
    events,
  },
};
export default preset;
