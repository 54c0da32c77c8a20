import { ConfigurationError, readEnv } from "./env.ts";
import { createLog, describeError } from "./log.ts";
import { toWorkerOptions } from "./options.ts";
import { startWorker } from "./start-worker.ts";

/** 0: stopped as asked. 1: could not start. 70: the queue broke, start me anew. 78: the environment is wrong. */
const exit = { ok: 0, failed: 1, broken: 70, configuration: 78 } as const;
/** After everything is closed the process ends by itself; this is for what does not know. */
const lingerMs = 5_000;

process.exitCode = await main();
setTimeout(() => process.exit(), lingerMs).unref();

async function main(): Promise<number> {
  const env = readEnvOrExplain();
  if (env === null) return exit.configuration;
  const log = createLog({ level: env.LOG_LEVEL });
  const stop = Promise.withResolvers<void>();
  // Once: who asks a second time wants it ended at once.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.resolve());
  try {
    const worker = await startWorker(toWorkerOptions(env, log));
    void stop.promise.then(() => worker.close());
    return (await worker.closed) === "stopped" ? exit.ok : exit.broken;
  } catch (error) {
    log.fatal({ err: describeError(error) }, "worker could not start");
    return exit.failed;
  }
}

function readEnvOrExplain(): ReturnType<typeof readEnv> | null {
  try {
    return readEnv();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`The worker cannot start with this environment:\n${error.message}\n`);
    return null;
  }
}
