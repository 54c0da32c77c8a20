import { type JobName, runJob } from "@sewa/core";
import { connectAsSuperuser } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { startWorker, type Worker } from "./start-worker.ts";
import { startTestHouse, type TestHouse, until } from "./test-house.ts";

/** Runs what the clock runs each minute, now, and waits until it is over. */
async function run(house: TestHouse, job: JobName): Promise<void> {
  const key = await runJob(house.core, job, {});
  await until(`${job} is over`, async () => {
    const [row] = await house.sql(`select 1 as waits from graphile_worker.jobs where key = '${key.key}'`);
    return row === undefined;
  });
}

async function metricOf(worker: Worker, line: string): Promise<number> {
  const text = await (await fetch(`${worker.internalUrl}/metrics`)).text();
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length) ?? Number.NaN);
}

test("usage is collected and counted; while the cluster tells none, the job goes well and writes nothing", async () => {
  await using house = await startTestHouse();
  house.cluster.metrics.setState("absent");
  await using worker = await startWorker(house.options);
  await house.running(await house.order());

  await run(house, "usage:sample");
  expect(await house.sql("select 1 from usage_samples")).toEqual([]);
  expect(await metricOf(worker, "sewa_usage_available")).toBe(0);
  expect(await metricOf(worker, "sewa_usage_collected_at_seconds")).toBe(0);
  const ran = (outcome: string) =>
    metricOf(worker, `sewa_job_duration_seconds_count{task="usage:sample",outcome="${outcome}"}`);
  expect(await ran("success")).toBeGreaterThan(0);
  expect(await ran("failure")).toBeNaN();

  house.cluster.metrics.clear();
  await run(house, "usage:sample");
  expect((await house.sql("select 1 from usage_samples where cpu_millis > 0")).length).toBeGreaterThan(0);
  expect(await metricOf(worker, "sewa_usage_available")).toBe(1);
  expect(await metricOf(worker, "sewa_usage_samples_total")).toBeGreaterThan(0);
  expect(await metricOf(worker, "sewa_usage_collected_at_seconds")).toBeGreaterThan(1.7e9);
});

test("apps are asked and counted, and every worker tells how many are down", async () => {
  await using house = await startTestHouse();
  await using worker = await startWorker(house.options);
  const instanceId = await house.order();
  await house.running(instanceId);
  await run(house, "instance:probe");
  expect(await metricOf(worker, 'sewa_probes_total{outcome="answered"}')).toBeGreaterThan(0);

  house.cluster.apps.stopAnswering();
  await run(house, "instance:probe");
  expect(await metricOf(worker, 'sewa_probes_total{outcome="failed"}')).toBeGreaterThan(0);
  // Five minutes later, as its probes have it.
  await house.sql("update instance_probes set failing_since = failing_since - interval '5 minutes'");
  await run(house, "instance:probe");
  expect(await house.sql("select type from events where type = 'instance.wentDown'")).toHaveLength(1);
  await using other = await startWorker(house.options);
  await until("another worker tells it", async () => (await metricOf(other, "sewa_instances_down")) === 1);
});

test("without the address of the ingress controller nobody is asked", async () => {
  await using house = await startTestHouse();
  const cluster = { ...house.options.cluster!, ingressAddress: null };
  await using worker = await startWorker({ ...house.options, cluster });
  await house.running(await house.order());
  await run(house, "instance:probe");
  expect(await house.sql("select 1 from instance_probes")).toEqual([]);
  expect(await metricOf(worker, 'sewa_probes_total{outcome="answered"}')).toBe(0);
});

test("a chain of the audit that does not hold is a number for the alert", async () => {
  await using house = await startTestHouse();
  await using worker = await startWorker(house.options);
  await house.order();
  await run(house, "audit:check");
  expect(await metricOf(worker, "sewa_audit_faults")).toBe(0);
  await using owner = connectAsSuperuser(house.options.databaseUrl);
  await owner.drizzle.execute("update organization_heads set audit_sequence = audit_sequence + 1");
  await run(house, "audit:check");
  expect(await metricOf(worker, "sewa_audit_faults")).toBeGreaterThan(0);
});
