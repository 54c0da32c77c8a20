import {
  booksPromises,
  type CoreContext,
  countBooksFindings,
  countInstances,
  countInstancesDown,
  countJobs,
  countParked,
  countQueuedMails,
  countReportedFindings,
  deriveHeldRatio,
  findingKinds,
  listLastBooksRuns,
  listNodePools,
  listPresentNodes,
} from "@sewa/core";
import { Gauge, type Registry } from "prom-client";

/** A scrape that comes earlier gets the same numbers: monitors must not load the database, however many ask. */
const freshMs = 5_000;
/** A scrape is answered after this without what stands in the tables: it tells most when the database is in trouble. */
const patienceMs = 3_000;

/** What the gauges are taken from, read once for all of them, over one connection: the others are the jobs'. */
async function readTables(core: CoreContext) {
  return {
    jobs: await countJobs(core),
    instances: await countInstances(core),
    instancesDown: await countInstancesDown(core),
    mails: await countQueuedMails(core),
    nodes: await listPresentNodes(core),
    pools: await listNodePools(core),
    findings: await countReportedFindings(core),
    booksFindings: await countBooksFindings(core),
    booksRuns: await listLastBooksRuns(core),
    parked: await countParked(core),
  };
}

type Tables = Awaited<ReturnType<typeof readTables>>;

interface TableGauge {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Sets every series anew; those of the scrape before are gone. */
  readonly fill: (gauge: Gauge, tables: Tables) => void;
}

/** Reports what stands in the tables. What could not be read in time is left out and not told as it was. */
export function reportTables(core: CoreContext, registers: Registry[]): void {
  const read = createReader(() => readTables(core));
  reportDatabase(core, registers);
  for (const { name, help, labelNames = [], fill } of tableGauges) {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const tables = await read();
        this.reset();
        if (tables !== null) fill(this, tables);
        else if (labelNames.length === 0) this.remove();
      },
    });
  }
}

function reportDatabase(core: CoreContext, registers: Registry[]): void {
  const ping = createReader(async () => {
    const askedAt = performance.now();
    await core.db.ping();
    return (performance.now() - askedAt) / 1_000;
  });
  new Gauge({
    name: "sewa_database_up",
    help: "1 when the database answered this process in time.",
    registers,
    async collect() {
      this.set((await ping()) === null ? 0 : 1);
    },
  });
  new Gauge({
    name: "sewa_database_ping_seconds",
    help: "How long this process waited for one of its connections and a round trip to the database.",
    registers,
    async collect() {
      const seconds = await ping();
      if (seconds === null) this.remove();
      else this.set(seconds);
    },
  });
}

/** Null when the answer did not come in time or not at all. A question that is still open is not asked again. */
function createReader<T>(ask: () => Promise<T>): () => Promise<T | null> {
  let asked: { readonly answer: Promise<T | null>; readonly at: number } | null = null;
  let isOpen = false;
  return () => {
    if (asked === null || (!isOpen && performance.now() - asked.at > freshMs)) {
      isOpen = true;
      const answer = ask()
        .catch(() => null)
        .finally(() => (isOpen = false));
      asked = { answer, at: performance.now() };
    }
    return within(patienceMs, asked.answer);
  };
}

async function within<T>(boundMs: number, answer: Promise<T | null>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, boundMs, null)));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const jobStates = ["waiting", "delayed", "running", "failed"] as const;

const tableGauges: readonly TableGauge[] = [
  {
    name: "sewa_jobs",
    help: "Jobs in the queue, by task and state: waiting (due), delayed (to run later), running, failed (for good).",
    labelNames: ["task", "state"],
    fill(gauge, { jobs }) {
      for (const counts of jobs) {
        for (const state of jobStates) gauge.set({ task: counts.task, state }, counts[state]);
      }
    },
  },
  {
    name: "sewa_oldest_due_job_seconds",
    help: "How long the job that has been due for longest waits for a worker.",
    fill: (gauge, { jobs }) => gauge.set(Math.max(0, ...jobs.map(({ oldestDueSeconds }) => oldestDueSeconds))),
  },
  {
    name: "sewa_instances",
    help: "Apps by what is wanted of them and what was seen last; what is gone counts no more.",
    labelNames: ["desired", "phase"],
    fill(gauge, { instances }) {
      for (const { desired, phase, count } of instances) gauge.inc({ desired, phase }, count);
    },
  },
  {
    name: "sewa_instances_with_reason",
    help: "Apps that are not as they should be, by the code of the reason.",
    labelNames: ["reason"],
    fill(gauge, { instances }) {
      for (const { reason, count } of instances) if (reason !== null) gauge.inc({ reason }, count);
    },
  },
  {
    name: "sewa_oldest_unsettled_seconds",
    help: "How long the app that has not been as wanted for longest is so, by what is wanted.",
    labelNames: ["desired"],
    fill(gauge, { instances }) {
      for (const desired of ["running", "stopped", "absent"]) {
        const ages = instances.filter((row) => row.desired === desired).map((row) => row.oldestUnsettledSeconds);
        gauge.set({ desired }, Math.max(0, ...ages));
      }
    },
  },
  {
    name: "sewa_instances_down",
    help: "Apps that should answer and have not for five minutes.",
    fill: (gauge, { instancesDown }) => gauge.set(instancesDown),
  },
  {
    name: "sewa_mails_queued",
    help: "Mails that have yet to be sent.",
    fill: (gauge, { mails }) => gauge.set(mails.queued),
  },
  {
    name: "sewa_oldest_queued_mail_seconds",
    help: "How long the oldest mail that has yet to be sent waits.",
    fill: (gauge, { mails }) => gauge.set(mails.oldestSeconds),
  },
  {
    name: "sewa_node_ready",
    help: "1 when the cluster says that the machine is ready.",
    labelNames: ["node"],
    fill(gauge, { nodes }) {
      for (const { name: node, isReady } of nodes) gauge.set({ node }, isReady ? 1 : 0);
    },
  },
  {
    name: "sewa_node_schedulable",
    help: "1 when new pods may be placed on the machine.",
    labelNames: ["node"],
    fill(gauge, { nodes }) {
      for (const { name: node, isSchedulable } of nodes) gauge.set({ node }, isSchedulable ? 1 : 0);
    },
  },
  {
    name: "sewa_node_pressure",
    help: "1 for what the machine says it runs short of: disk, memory or process ids.",
    labelNames: ["node", "resource"],
    fill(gauge, { nodes }) {
      for (const { name: node, conditions } of nodes) {
        for (const { type, status } of conditions) {
          const resource = /^(Disk|Memory|PID)Pressure$/.exec(type)?.[1]?.toLowerCase();
          if (resource !== undefined) gauge.set({ node, resource }, status === "True" ? 1 : 0);
        }
      }
    },
  },
  {
    name: "sewa_node_allocatable_cpu_cores",
    help: "Processors of the machine that pods can have.",
    labelNames: ["node"],
    fill(gauge, { nodes }) {
      for (const { name: node, allocatableCpuMillis } of nodes) gauge.set({ node }, allocatableCpuMillis / 1_000);
    },
  },
  {
    name: "sewa_node_allocatable_memory_bytes",
    help: "Memory of the machine that pods can have.",
    labelNames: ["node"],
    fill(gauge, { nodes }) {
      for (const { name: node, allocatableMemoryBytes } of nodes) gauge.set({ node }, allocatableMemoryBytes);
    },
  },
  {
    name: "sewa_pool_held_ratio",
    help: "Part of what a pool of machines may promise that is promised; above 1 after a machine was lost.",
    labelNames: ["pool", "resource"],
    fill(gauge, { pools }) {
      for (const pool of pools) {
        const { cpu, memory } = deriveHeldRatio(pool);
        gauge.set({ pool: pool.name, resource: "cpu" }, cpu);
        gauge.set({ pool: pool.name, resource: "memory" }, memory);
      }
    },
  },
  {
    name: "sewa_inventory_findings",
    help: "Differences between rows and cluster that stand, by kind; orphans once they have stood for fifteen minutes.",
    labelNames: ["kind"],
    fill(gauge, { findings }) {
      for (const kind of findingKinds) gauge.set({ kind }, findings.get(kind) ?? 0);
    },
  },
  {
    name: "sewa_books_findings",
    help: "Rows that break a promise of the books, by check and kind: books (wrong) or clock (late or out of step).",
    labelNames: ["check", "kind"],
    fill(gauge, { booksFindings }) {
      for (const { id: check, kind } of booksPromises) gauge.set({ check, kind }, 0);
      for (const { checkId: check, kind, findings } of booksFindings) gauge.set({ check, kind }, findings);
    },
  },
  {
    name: "sewa_books_checked_at_seconds",
    help: "When the books were last asked, in seconds since the epoch, by mode: recent or whole; 0 if never.",
    labelNames: ["mode"],
    fill(gauge, { booksRuns }) {
      for (const mode of ["recent", "whole"]) {
        const finishedAt = booksRuns.find((run) => run.mode === mode)?.finishedAt;
        gauge.set({ mode }, (finishedAt?.getTime() ?? 0) / 1_000);
      }
    },
  },
  {
    name: "sewa_organizations_parked",
    help: "Organizations whose books are wrong, so that nothing is charged, renewed or ended.",
    fill: (gauge, { parked }) => gauge.set(parked),
  },
];
