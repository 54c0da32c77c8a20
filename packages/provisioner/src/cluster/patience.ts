import { ClusterDenied, ClusterUnreachable, InvalidObject } from "../errors.ts";
import { contentHash } from "../render/hash.ts";

/** What is asked. A watch has a back-off of its own; it only keeps quiet with the others. */
type Asked =
  { readonly method: string; readonly path: string; readonly body?: unknown; readonly isQuestion?: boolean } | "watch";

/** What the server does not want to be asked now, whoever prompts us to: events of the watch, customers, sweeps. */
export interface Patience {
  /** Throws what the server said before, instead of asking it again too early. */
  check(asked: Asked): void;
  /** Hears of a refusal. */
  hear(asked: Asked, status: number, error: Error): void;
}

/** Rights are given by people. */
const deniedMs = 60_000;
/** The same object is refused again, until somebody changes the cluster's rules. */
const invalidMs = 300_000;

/** `now` is a clock in milliseconds, of any origin. */
export function createPatience(now: () => number): Patience {
  let busyUntil = -Infinity;
  const refused = new Map<string, { readonly until: number; readonly error: Error }>();
  return {
    check(asked) {
      const waitMs = busyUntil - now();
      if (waitMs > 0) throw new ClusterUnreachable("The server asked us to wait.", waitMs);
      if (asked === "watch" || asked.isQuestion === true || refused.size === 0) return;
      for (const [key, { until }] of refused) if (until <= now()) refused.delete(key);
      const refusal = refused.get(keyOf(asked));
      if (refusal !== undefined) throw refusal.error;
    },
    hear(asked, status, error) {
      if (error instanceof ClusterUnreachable && error.retryAfterMs !== null)
        busyUntil = Math.max(busyUntil, now() + error.retryAfterMs);
      if (asked === "watch" || asked.isQuestion === true) return;
      // After a 401 the credentials are read anew, so the next try is another one.
      const isDenied = error instanceof ClusterDenied && status === 403;
      const ms = isDenied ? deniedMs : error instanceof InvalidObject ? invalidMs : 0;
      if (ms > 0) refused.set(keyOf(asked), { until: now() + ms, error });
    },
  };
}

function keyOf({ method, path, body }: Exclude<Asked, string>): string {
  return `${method} ${path} ${body === undefined ? "" : contentHash(body)}`;
}
