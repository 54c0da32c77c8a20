import { type CoreContext, eventTypes } from "@sewa/core";
import type { Watcher } from "@sewa/provisioner";
import type { DbJob } from "graphile-worker";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { reportTables } from "./table-metrics.ts";

/** What this process counts, in Prometheus' words. A registry of its own, so that two workers in one process do not mix. */
export interface WorkerMetrics {
  readonly registry: Registry;
  /** Seconds, by task and outcome (`success`, `failure`, `refused` for a payload that does not fit). */
  readonly jobs: Histogram<"task" | "outcome">;
  /** Seconds, by outcome of the pass (`converged`, `progressing`, `busy`, `error`, `terminal`). */
  readonly reconciles: Histogram<"outcome">;
  /** Containers of customers that started again. */
  readonly restarts: Counter;
  /** Mails handed over or not (`sent`, `skipped`, `retried`, `failed`: given up). */
  readonly mails: Counter<"outcome">;
  /** LISTEN of the queue: lost and back. */
  readonly listenReconnects: Counter;
  /** Flat in health: what the sweeps had to add again or to end. */
  readonly corrections: Counter<"sweep">;
  readonly events: Counter<"type">;
  /** Apps that were asked whether they answer: `answered` or `failed`. */
  readonly probes: Counter<"outcome">;
  /** New minutes of usage. */
  readonly usageSamples: Counter;
  /** When this process last collected usage, in seconds since the epoch. */
  readonly usageCollectedAt: Gauge;
  /** 1 while the cluster tells what apps use, 0 while it does not. */
  readonly usageAvailable: Gauge;
  /** What audits of the inventory have put right: `repaired`, `deleted`, `kept_for_data`. */
  readonly repairs: Counter<"action">;
  /** Chains of the audit that did not hold when this process last verified them. */
  readonly auditFaults: Gauge;
  /** Pools whose jobs were taken over from. */
  readonly reapedPools: Counter;
  /** A job was taken: how long it had been due, and for the how manyth time it is tried. */
  began(task: string, job: BegunJob): void;
  /** Reports how long the heartbeat and the queue have been silent. */
  vitals(silentMs: { readonly beat: () => number; readonly queue: () => number }): void;
  /** Reports what stands in the tables, for all workers alike. */
  tables(core: CoreContext): void;
  /** Reports the logs that `relay` passes on. */
  relay(relay: { readonly size: number }): void;
  /** Reports the watches of `watcher` from now on. */
  watch(watcher: Watcher): void;
}

/** Both times are the database's. */
export type BegunJob = Pick<DbJob, "run_at" | "locked_at" | "attempts">;

export function createMetrics(): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const waits = new Histogram({
    name: "sewa_job_wait_seconds",
    help: "From the time at which a job was due to the time at which a worker took it, by task.",
    labelNames: ["task"],
    buckets: [0.05, 0.25, 1, 5, 15, 60, 300, 1_800],
    registers,
  });
  const attempts = new Histogram({
    name: "sewa_job_attempts",
    help: "Which try each run of a job was, by task.",
    labelNames: ["task"],
    buckets: [1, 2, 3, 5, 10, 24],
    registers,
  });
  const metrics: WorkerMetrics = {
    registry,
    jobs: new Histogram({
      name: "sewa_job_duration_seconds",
      help: "How long jobs ran, by task and outcome.",
      labelNames: ["task", "outcome"],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60],
      registers,
    }),
    reconciles: new Histogram({
      name: "sewa_reconcile_duration_seconds",
      help: "How long passes over instances took, by outcome.",
      labelNames: ["outcome"],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
      registers,
    }),
    restarts: new Counter({
      name: "sewa_instance_restarts_total",
      help: "Times that containers of apps were seen to have started again.",
      registers,
    }),
    mails: new Counter({
      name: "sewa_mail_sends_total",
      help: "Tries to send a mail, by outcome: sent, skipped, retried later, or failed for good.",
      labelNames: ["outcome"],
      registers,
    }),
    listenReconnects: new Counter({
      name: "sewa_listen_reconnects_total",
      help: "Times that LISTEN was lost and came back.",
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
    auditFaults: new Gauge({
      name: "sewa_audit_faults",
      help: "Chains of the audit that did not hold when this process last verified all of them.",
      registers,
    }),
    reapedPools: new Counter({ name: "sewa_reaped_pools_total", help: "Dead pools taken over.", registers }),
    began(task, { run_at: dueAt, locked_at: takenAt, attempts: attempt }) {
      if (takenAt !== null) waits.observe({ task }, Math.max(0, (takenAt.getTime() - dueAt.getTime()) / 1_000));
      attempts.observe({ task }, attempt);
    },
    vitals: (silentMs) => reportVitals(silentMs, registers),
    tables: (core) => reportTables(core, registers),
    relay(relay) {
      const collect = function (this: Gauge): void {
        this.set(relay.size);
      };
      const help = "Logs that are passed on to servers now.";
      return void new Gauge({ name: "sewa_log_relays", help, registers, collect });
    },
    watch: (watcher) => reportWatches(watcher, registers),
  };
  beginAtZero(metrics);
  return metrics;
}

/** A series that begins with its first count has not risen for Prometheus, so that a first failure would go unnoticed. */
function beginAtZero({ events, corrections, mails, probes, repairs }: WorkerMetrics): void {
  for (const type of Object.keys(eventTypes)) events.inc({ type }, 0);
  for (const sweep of ["instance", "operation", "clock", "mail"]) corrections.inc({ sweep }, 0);
  for (const outcome of ["sent", "skipped", "retried", "failed"]) mails.inc({ outcome }, 0);
  for (const outcome of ["answered", "failed"]) probes.inc({ outcome }, 0);
  for (const action of ["repaired", "deleted", "kept_for_data"]) repairs.inc({ action }, 0);
}

function reportVitals(silentMs: Parameters<WorkerMetrics["vitals"]>[0], registers: Registry[]): void {
  const gauges = [
    ["sewa_heartbeat_age_seconds", "Time since this worker last wrote its heartbeat.", silentMs.beat],
    ["sewa_queue_silent_seconds", "Time since this worker last asked for a job or finished one.", silentMs.queue],
  ] as const;
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read() / 1_000);
      },
    });
  }
}

function reportWatches(watcher: Watcher, registers: Registry[]): void {
  const labelNames = ["kind"] as const;
  const startedAt = performance.now();
  new Gauge({
    name: "sewa_watch_age_seconds",
    help: "Time since the watch of a kind last heard anything; since its start while it has not.",
    labelNames,
    registers,
    collect() {
      for (const { name, heardAt } of watcher.stats()) {
        this.set({ kind: name }, (performance.now() - (heardAt ?? startedAt)) / 1_000);
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
