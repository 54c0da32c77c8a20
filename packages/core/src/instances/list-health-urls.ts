import { setImmediate } from "node:timers/promises";
import type { Tx } from "../context.ts";
import { type AppFacts, resolveInstance } from "./resolve-instance.ts";

/** By what they follow from. Filling in a whole app takes about a millisecond of processor. */
const known = new Map<string, readonly string[]>();
const maxKnown = 20_000;
/** Other work of the process gets its turn after so many that were not known. */
const atOnce = 50;

/**
 * Where each app is asked whether it answers, by its blueprint's health checks; none for an app without any, and for one
 * that cannot be resolved, whose reconcile says so.
 */
export async function listHealthUrls(
  tx: Tx,
  apps: readonly AppFacts[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const urls = new Map<string, readonly string[]>();
  let resolved = 0;
  for (const app of apps) {
    const { id, name, host, blueprintVersionId, parameters, limits } = app;
    const key = JSON.stringify([id, name, host, blueprintVersionId, parameters, limits]);
    let found = known.get(key);
    if (found === undefined) {
      found = await resolveInstance(tx, app).then(
        ({ healthChecks }) => healthChecks.map(({ url }) => url),
        () => [],
      );
      if (known.size >= maxKnown) known.clear();
      known.set(key, found);
      resolved += 1;
      if (resolved % atOnce === 0) await setImmediate();
    }
    urls.set(id, found);
  }
  return urls;
}
