import type { FinishedCall } from "@sewa/api";
import { type CoreContext, countLivingPools, eventTypes } from "@sewa/core";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What this process counts, in Prometheus' words. A registry of its own, so that two servers in one process do not mix. */
export interface ServerMetrics {
  readonly registry: Registry;
  readonly events: Counter<"type">;
  readonly sockets: Gauge;
  /** Subscriptions that wait for changes. */
  readonly subscriptions: Gauge;
  /** Why sockets were closed by us. */
  readonly closedSockets: Counter<"reason">;
  readonly listenReconnects: Counter;
  /** Requests that never reached a procedure. */
  readonly refusals: Counter<"reason">;
  finished(call: FinishedCall): void;
  /** Reports whether the database answers, and how many workers have told it lately that they live. */
  house(core: CoreContext): void;
}

export function createMetrics(): ServerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Histogram({
    name: "sewa_api_call_duration_seconds",
    help: "Calls of procedures, by outcome. A subscription counts until it has begun.",
    labelNames: ["procedure", "type", "code"],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const events = new Counter({ name: "sewa_events_total", help: "Business events.", labelNames: ["type"], registers });
  // A series that begins with its first count has not risen for Prometheus.
  for (const type of Object.keys(eventTypes)) events.inc({ type }, 0);
  return {
    registry,
    events,
    sockets: new Gauge({ name: "sewa_sockets", help: "Open WebSockets.", registers }),
    subscriptions: new Gauge({
      name: "sewa_subscriptions_open",
      help: "Open subscriptions that wait for changes.",
      registers,
    }),
    closedSockets: new Counter({
      name: "sewa_sockets_closed_total",
      help: "WebSockets that we closed.",
      labelNames: ["reason"],
      registers,
    }),
    listenReconnects: new Counter({
      name: "sewa_listen_reconnects_total",
      help: "Times that LISTEN was lost and came back.",
      registers,
    }),
    refusals: new Counter({
      name: "sewa_api_refusals_total",
      help: "Requests refused before any procedure.",
      labelNames: ["reason"],
      registers,
    }),
    finished: ({ path, type, code, durationMs }) => calls.observe({ procedure: path, type, code }, durationMs / 1_000),
    house: (core) => reportHouse(core, registers),
  };
}

/** A monitor gets its answer after this, whatever the database does. */
const patienceMs = 3_000;

function reportHouse(core: CoreContext, registers: Registry[]): void {
  const ask = createAsker(async () => {
    const askedAt = performance.now();
    await core.db.ping();
    const pingSeconds = (performance.now() - askedAt) / 1_000;
    return { pingSeconds, workers: await countLivingPools(core) };
  });
  const gauges = [
    ["sewa_database_up", "1 when the database answered this process in time.", () => 1],
    [
      "sewa_database_ping_seconds",
      "How long this process waited for one of its connections and a round trip to the database.",
      ({ pingSeconds }) => pingSeconds,
    ],
    ["sewa_workers_alive", "Workers that have written a heartbeat within the last minute.", ({ workers }) => workers],
  ] as const satisfies readonly (readonly [string, string, (answer: HouseAnswer) => number])[];
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const answer = await ask();
        if (answer !== null) this.set(read(answer));
        else if (name === "sewa_database_up") this.set(0);
        // Not known is not the number of before.
        else this.remove();
      },
    });
  }
}

interface HouseAnswer {
  readonly pingSeconds: number;
  readonly workers: number;
}

/** Null when no answer came in time. All who ask while a question is open get its answer, so that nothing piles up. */
function createAsker<T>(question: () => Promise<T>): () => Promise<T | null> {
  let open: Promise<T | null> | null = null;
  return async () => {
    open ??= question()
      .catch(() => null)
      .finally(() => (open = null));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, patienceMs, null)));
    try {
      return await Promise.race([open, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
