import { ConfigurationError } from "@sewa/core";
import { type Env, readEnv } from "./env.ts";
import { createServerLog } from "./log.ts";
import { toServerOptions } from "./options.ts";
import { startServer } from "./start-server.ts";

/** 0: stopped as asked. 1: could not start. 70: broke, start me anew. 78: the environment is wrong. */
const exit = { ok: 0, failed: 1, broken: 70, configuration: 78 } as const;
/** After everything is closed the process ends by itself; this is for what does not know. */
const lingerMs = 2_000;

process.exitCode = await main();
setTimeout(() => process.exit(), lingerMs).unref();

async function main(): Promise<number> {
  const env = readEnvOrExplain();
  if (env === null) return exit.configuration;
  const log = createServerLog({ level: env.LOG_LEVEL });
  // A driver that loses its connection in the middle of a write may throw where nobody can catch it.
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "server broke");
    process.exit(exit.broken);
  });
  const stop = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.resolve());
  try {
    await using server = await startServer(toServerOptions(env, log));
    await stop.promise;
    await server.close();
    return exit.ok;
  } catch (error) {
    if (error instanceof ConfigurationError) return explain(error);
    log.fatal({ err: error }, "server could not start or stop");
    return exit.failed;
  }
}

function readEnvOrExplain(): Env | null {
  try {
    return readEnv();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    explain(error);
    return null;
  }
}

function explain(error: ConfigurationError): number {
  process.stderr.write(`The server cannot start with this environment:\n${error.message}\n`);
  return exit.configuration;
}
