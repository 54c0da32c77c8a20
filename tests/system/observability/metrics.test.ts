import { createLog, readEnv, startWorker, toWorkerOptions } from "@sewa/worker";
import { createServerLog, readEnv as readServerEnv, startServer, toServerOptions } from "@sewa/server";
import { withCore } from "@sewa/dev";
import { expect, test } from "vitest";
import { startProxy } from "../faults/proxy.ts";
import { type House, isUp, order, reached, startHouse, until } from "../house.ts";
import { metricsIn, metricsOf, readAlerts, readDashboards } from "./files.ts";

/** Told by others: Prometheus itself, node exporter, kubelet. */
const foreign = /^(up|node_(cpu|memory|filesystem)_\w+|kubelet_volume_stats_\w+)$/;

async function scrape(internalUrl: string): Promise<string> {
  const response = await fetch(`${internalUrl}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

/** The value of one series, written as Prometheus does; null when it is not told. */
function valueOf(text: string, series: string): number | null {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1).replace("Inf", "Infinity"));
}

function nodesOf({ parts }: House): readonly string[] {
  const names = parts.devcluster!.objects("Node").map(({ metadata }) => metadata.name);
  expect(names.length).toBeGreaterThan(0);
  return names;
}

/** Ends the connections on which processes of ours listen, as a restart of PostgreSQL or a broken network does. */
async function endListening({ parts }: House): Promise<number> {
  return withCore(parts, (ctx) =>
    ctx.db.drizzle.transaction(async (tx) => {
      await tx.execute("set local role none");
      const rows = await tx.execute(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen %'`,
      );
      return rows.length;
    }),
  );
}

test(
  "what rules and boards name is told by a running house, and no label holds anything of a customer's",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await using customer = await house.customer();
    const { subscription } = await order(customer, "Very secret name");
    await reached(customer, subscription.instanceId, isUp);
    const texts = [await scrape(house.servers[0]!.internalUrl), await scrape(house.workers[0]!.internalUrl)];
    const told = new Set(texts.flatMap((text) => [...metricsOf(text)]));
    const isKnown = (name: string): boolean => told.has(name) || foreign.test(name);

    const uses = [
      ...(await readAlerts()).map(({ alert, expr }) => ({ where: alert, expr })),
      ...(await readDashboards()).flatMap(({ file, panels }) =>
        panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr }))),
      ),
    ];
    expect(uses.filter(({ expr }) => metricsIn(expr).length === 0)).toEqual([]);
    expect(uses.filter(({ expr }) => !metricsIn(expr).every(isKnown))).toEqual([]);

    const labels = texts.join("\n").match(/\{[^}]*\}/g) ?? [];
    expect(labels.length).toBeGreaterThan(100);
    const revealing = /[0-9a-f]{8}-[0-9a-f]{4}-|(ins|sub|org|ord|usr)_[0-9a-z]{20}|secret|@|localhost/i;
    expect(labels.filter((label) => revealing.test(label))).toEqual([]);
  },
);

test("an order shows in waits, tries, passes, apps and room; and health is flat", { timeout: 120_000 }, async () => {
  await using house = await startHouse();
  await using customer = await house.customer();
  const { subscription } = await order(customer);
  await reached(customer, subscription.instanceId, isUp);
  const text = await until("the worker tells what is in the tables now", async () => {
    const now = await scrape(house.workers[0]!.internalUrl);
    // Counts are taken as a scrape begins, tables are read after that, and a pass is counted when it is over.
    const isCounted = (valueOf(now, 'sewa_reconcile_duration_seconds_count{outcome="converged"}') ?? 0) > 0;
    const isMailed = (valueOf(now, 'sewa_mail_sends_total{outcome="sent"}') ?? 0) > 0;
    return isCounted && isMailed && valueOf(now, 'sewa_instances{desired="running",phase="running"}') === 1
      ? now
      : null;
  });
  const at = (series: string): number => valueOf(text, series) ?? Number.NaN;
  expect(at('sewa_job_wait_seconds_count{task="instance:reconcile"}')).toBeGreaterThan(0);
  expect(at('sewa_job_attempts_bucket{le="1",task="instance:reconcile"}')).toBeGreaterThan(0);
  expect(at('sewa_reconcile_duration_seconds_count{outcome="converged"}')).toBeGreaterThan(0);
  expect(at('sewa_oldest_unsettled_seconds{desired="running"}')).toBe(0);
  expect(at('sewa_mail_sends_total{outcome="sent"}')).toBeGreaterThan(0);
  expect(at('sewa_pool_held_ratio{pool="default",resource="memory"}')).toBeGreaterThan(0);
  const ready = nodesOf(house).map((node) => at(`sewa_node_ready{node="${node}"}`));
  expect(ready).toEqual(ready.map(() => 1));
  expect(at("sewa_database_up")).toBe(1);
  const corrections = ["instance", "operation", "clock", "mail"];
  expect(corrections.map((sweep) => at(`sewa_sweep_corrections_total{sweep="${sweep}"}`))).toEqual([0, 0, 0, 0]);
  expect(valueOf(await scrape(house.servers[0]!.internalUrl), "sewa_workers_alive")).toBe(1);
});

test("a lost machine is told as not ready, and its room as sold more than once", { timeout: 120_000 }, async () => {
  await using house = await startHouse();
  await using customer = await house.customer();
  const { subscription } = await order(customer);
  await reached(customer, subscription.instanceId, isUp);
  const worker = house.workers[0]!;
  const nodes = nodesOf(house);
  for (const node of nodes) house.parts.devcluster!.faults.setNodeReady(node, false);
  const lost = await until("the machines are told as lost", async () => {
    const text = await scrape(worker.internalUrl);
    return nodes.every((node) => valueOf(text, `sewa_node_ready{node="${node}"}`) === 0) ? text : null;
  });
  expect(valueOf(lost, 'sewa_pool_held_ratio{pool="default",resource="cpu"}')).toBe(Number.POSITIVE_INFINITY);
  await until("the app is told as not running", async () => {
    const text = await scrape(worker.internalUrl);
    return valueOf(text, 'sewa_instances{desired="running",phase="degraded"}') === 1 ? text : null;
  });
  house.parts.devcluster!.faults.clear();
  await until("the machines are told as ready again", async () => {
    const text = await scrape(worker.internalUrl);
    return nodes.every((node) => valueOf(text, `sewa_node_ready{node="${node}"}`) === 1) ? true : null;
  });
});

test("a LISTEN that breaks is counted by server and worker when it is back", { timeout: 120_000 }, async () => {
  await using house = await startHouse();
  const urls = [house.servers[0]!.internalUrl, house.workers[0]!.internalUrl];
  for (const url of urls) expect(valueOf(await scrape(url), "sewa_listen_reconnects_total")).toBe(0);
  expect(await until("both listen", async () => ((await endListening(house)) >= 2 ? true : null))).toBe(true);
  for (const url of urls) {
    await until("it was counted", async () =>
      (valueOf(await scrape(url), "sewa_listen_reconnects_total") ?? 0) > 0 ? true : null,
    );
  }
});

test(
  "while the database is away, scrapes are answered, say so, and keep no number of before",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse({ servers: 0, workers: 0 });
    const { hostname, port } = new URL(house.parts.databaseUrl);
    await using proxy = await startProxy({ host: hostname, port: Number(port) });
    const url = new URL(house.parts.databaseUrl);
    url.hostname = "127.0.0.1";
    url.port = String(proxy.port);
    const env = { ...house.parts.env, DATABASE_URL: url.href, LOG_LEVEL: "silent" };
    await using server = await startServer(toServerOptions(readServerEnv(env), createServerLog({ level: "silent" })));
    await using worker = await startWorker(toWorkerOptions(readEnv(env), createLog({ level: "silent" })));
    for (const { internalUrl } of [server, worker]) {
      await until("the database is up", async () =>
        valueOf(await scrape(internalUrl), "sewa_database_up") === 1 ? true : null,
      );
    }
    expect(valueOf(await scrape(worker.internalUrl), "sewa_mails_queued")).toBe(0);
    proxy.isSilent = true;
    for (const [{ internalUrl }, series] of [
      [server, "sewa_workers_alive"],
      [worker, "sewa_mails_queued"],
    ] as const) {
      const text = await until("it is told as away", async () => {
        const now = await scrape(internalUrl);
        return valueOf(now, "sewa_database_up") === 0 ? now : null;
      });
      expect(valueOf(text, "sewa_database_ping_seconds")).toBeNull();
      await until("what is not known is left out", async () =>
        valueOf(await scrape(internalUrl), series) === null ? true : null,
      );
    }
    proxy.isSilent = false;
    proxy.reset();
    for (const { internalUrl } of [server, worker]) {
      await until("the database is up again", async () =>
        valueOf(await scrape(internalUrl), "sewa_database_up") === 1 ? true : null,
      );
    }
  },
);
