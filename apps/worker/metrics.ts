import { findingKinds } from "@sewa/core";
import type { Watcher } from "@sewa/provisioner";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What this process counts, in Prometheus' words. A registry of its own, so that two workers in one process do not mix. */
export interface WorkerMetrics {
  readonly registry: Registry;
  /** Seconds, by task and outcome (`success`, `failure`, `refused` for a payload that does not fit). */
  readonly jobs: Histogram<"task" | "outcome">;
  readonly reconciles: Counter<"outcome">;
  /** Flat in health: what the sweeps had to add again or to end. */
  readonly corrections: Counter<"sweep">;
  readonly events: Counter<"type">;
  /** Apps that were asked whether they answer: `answered` or `failed`. */
  readonly probes: Counter<"outcome">;
  /** Apps that should answer and were reported as down. */
  readonly instancesDown: Gauge;
  /** New minutes of usage. */
  readonly usageSamples: Counter;
  /** When this process last collected usage, in seconds since the epoch. */
  readonly usageCollectedAt: Gauge;
  /** 1 while the cluster tells what apps use, 0 while it does not. */
  readonly usageAvailable: Gauge;
  /** What audits of the inventory have put right: `repaired`, `deleted`, `kept_for_data`. */
  readonly repairs: Counter<"action">;
  /** Pools whose jobs were taken over from. */
  readonly reapedPools: Counter;
  /** Reports the logs that `relay` passes on. */
  relay(relay: { readonly size: number }): void;
  /** Reports the open findings of the inventory, as `count` reads them. */
  inventory(count: () => Promise<ReadonlyMap<string, number>>): void;
  /** Reports the watches of `watcher` from now on. */
  watch(watcher: Watcher): void;
}

export function createMetrics(): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    jobs: new Histogram({
      name: "sewa_job_duration_seconds",
      help: "How long jobs ran, by task and outcome.",
      labelNames: ["task", "outcome"],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60],
      registers,
    }),
    reconciles: new Counter({
      name: "sewa_reconcile_total",
      help: "Passes over instances, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    corrections: new Counter({
      name: "sewa_sweep_corrections_total",
      help: "What the sweeps found lying and set going again.",
      labelNames: ["sweep"],
      registers,
    }),
    events: new Counter({ name: "sewa_events_total", help: "Business events.", labelNames: ["type"], registers }),
    repairs: new Counter({
      name: "sewa_inventory_repairs_total",
      help: "Findings of the inventory that were put right, by what was done.",
      labelNames: ["action"],
      registers,
    }),
    probes: new Counter({
      name: "sewa_probes_total",
      help: "Apps that were asked whether they answer, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    instancesDown: new Gauge({
      name: "sewa_instances_down",
      help: "Apps that should answer and have not for five minutes. The same from every worker.",
      registers,
    }),
    usageSamples: new Counter({ name: "sewa_usage_samples_total", help: "New minutes of usage.", registers }),
    usageCollectedAt: new Gauge({
      name: "sewa_usage_collected_at_seconds",
      help: "When this process last collected usage, in seconds since the epoch; 0 if never.",
      registers,
    }),
    usageAvailable: new Gauge({
      name: "sewa_usage_available",
      help: "Whether the cluster told what apps use when this process last asked.",
      registers,
    }),
    reapedPools: new Counter({ name: "sewa_reaped_pools_total", help: "Dead pools taken over.", registers }),
    relay(relay) {
      const collect = function (this: Gauge): void {
        this.set(relay.size);
      };
      const help = "Logs that are passed on to servers now.";
      return void new Gauge({ name: "sewa_log_relays", help, registers, collect });
    },
    inventory: (count) => reportInventory(count, registers),
    watch: (watcher) => reportWatches(watcher, registers),
  };
}

/** Read from the database, so that every worker tells the same, whichever made the audit. */
function reportInventory(count: () => Promise<ReadonlyMap<string, number>>, registers: Registry[]): void {
  new Gauge({
    name: "sewa_inventory_findings",
    help: "Differences between rows and cluster that stand, by kind.",
    labelNames: ["kind"],
    registers,
    async collect() {
      const counts = await count().catch(() => null);
      // Without an answer no number is better than an old one.
      this.reset();
      for (const kind of findingKinds) if (counts !== null) this.set({ kind }, counts.get(kind) ?? 0);
    },
  });
}

function reportWatches(watcher: Watcher, registers: Registry[]): void {
  const labelNames = ["kind"] as const;
  new Gauge({
    name: "sewa_watch_age_seconds",
    help: "Time since the watch of a kind last heard anything.",
    labelNames,
    registers,
    collect() {
      for (const { name, heardAt } of watcher.stats()) {
        if (heardAt !== null) this.set({ kind: name }, (performance.now() - heardAt) / 1_000);
      }
    },
  });
  for (const count of ["lists", "restarts", "expired", "events"] as const) {
    new Counter({
      name: `sewa_watch_${count}_total`,
      help: `Watches: ${count} since the start.`,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const stats of watcher.stats()) this.inc({ kind: stats.name }, stats[count]);
      },
    });
  }
}
