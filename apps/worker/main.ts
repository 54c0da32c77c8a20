import { ConfigurationError } from "@sewa/core";
import { readEnv } from "./env.ts";
import { createLog } from "./log.ts";
import { toWorkerOptions } from "./options.ts";
import { startWorker } from "./start-worker.ts";

/** 0: stopped as asked. 1: could not start. 70: the queue broke, start me anew. 78: the environment is wrong. */
const exit = { ok: 0, failed: 1, broken: 70, configuration: 78 } as const;
/** Longer than all bounds of an orderly end together, shorter than the 45 s that Kubernetes should be told to give. */
const forceMs = 40_000;
/** After everything is closed the process ends by itself; this is for what does not know. */
const lingerMs = 5_000;

process.exitCode = await main();
setTimeout(() => process.exit(), lingerMs).unref();

async function main(): Promise<number> {
  const env = readEnvOrExplain();
  if (env === null) return exit.configuration;
  const log = createLog({ level: env.LOG_LEVEL });
  // A driver that loses its connection in the middle of a write may throw where nobody can catch it. What this process
  // held is taken over by others; its state is not to be trusted.
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "worker broke");
    process.exit(exit.broken);
  });
  const stop = Promise.withResolvers<void>();
  // Once: who asks a second time wants it ended at once.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.resolve());
  try {
    const worker = await startWorker(toWorkerOptions(env, log));
    void stop.promise.then(() => {
      setTimeout(() => process.exit(exit.failed), forceMs).unref();
      return worker.close();
    });
    return (await worker.closed) === "stopped" ? exit.ok : exit.broken;
  } catch (error) {
    if (error instanceof ConfigurationError) return explain(error);
    log.fatal({ err: error }, "worker could not start");
    return exit.failed;
  }
}

function readEnvOrExplain(): ReturnType<typeof readEnv> | null {
  try {
    return readEnv();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    explain(error);
    return null;
  }
}

function explain(error: ConfigurationError): number {
  process.stderr.write(`The worker cannot start with this environment:\n${error.message}\n`);
  return exit.configuration;
}
