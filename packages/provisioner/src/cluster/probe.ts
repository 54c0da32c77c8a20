import type { CallOptions } from "./cluster.ts";
import type { HealthCheck } from "./health.ts";
import { createLimiter } from "./limiter.ts";

/** An app and all addresses that have to answer for it to be up. */
export interface ProbedApp {
  readonly instanceId: string;
  readonly urls: readonly string[];
}

/** With the 5 s of a health check, a thousand apps of which none answers are asked in 15 s. */
const parallelApps = 400;

/** Asks every app once, many at a time; answers which of them are up. Its checks one after the other, until one fails. */
export async function probeApps(
  health: HealthCheck,
  apps: readonly ProbedApp[],
  call: CallOptions | undefined,
): Promise<ReadonlyMap<string, boolean>> {
  const limit = createLimiter(parallelApps);
  const isUp = async ({ urls }: ProbedApp): Promise<boolean> => {
    for (const url of urls) {
      call?.signal?.throwIfAborted();
      if (!(await health.isHealthy(url, call?.signal))) return false;
    }
    return true;
  };
  const answers = await Promise.all(apps.map((app) => limit(async () => [app.instanceId, await isUp(app)] as const)));
  // What was not asked to its end is no answer.
  call?.signal?.throwIfAborted();
  return new Map(answers);
}
