import type { FinishedCall } from "@sewa/api";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What this process counts, in Prometheus' words. A registry of its own, so that two servers in one process do not mix. */
export interface ServerMetrics {
  readonly registry: Registry;
  readonly events: Counter<"type">;
  readonly sockets: Gauge;
  readonly feeds: Gauge;
  /** Why sockets were closed by us. */
  readonly closedSockets: Counter<"reason">;
  readonly listenReconnects: Counter;
  /** Requests that never reached a procedure. */
  readonly refusals: Counter<"reason">;
  finished(call: FinishedCall): void;
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
  return {
    registry,
    events: new Counter({ name: "sewa_events_total", help: "Business events.", labelNames: ["type"], registers }),
    sockets: new Gauge({ name: "sewa_api_sockets", help: "Open WebSockets.", registers }),
    feeds: new Gauge({ name: "sewa_api_feeds", help: "Streams that wait for changes.", registers }),
    closedSockets: new Counter({
      name: "sewa_api_closed_sockets_total",
      help: "WebSockets that we closed.",
      labelNames: ["reason"],
      registers,
    }),
    listenReconnects: new Counter({
      name: "sewa_api_listen_reconnects_total",
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
  };
}
