import { runJob, setNodeSchedulable } from "@sewa/core";
import { expect, test } from "vitest";
import { startWorker } from "./start-worker.ts";
import { startTestHouse, until } from "./test-house.ts";

test("an order becomes a running app, and no job stays locked", async () => {
  await using house = await startTestHouse();
  await using worker = await startWorker(house.options);
  const { url, isOpen } = await house.running(await house.order());
  expect({ url, isOpen }).toEqual({ url: expect.stringMatching(/^http:\/\/.+\.apps\.test$/) as string, isOpen: true });
  expect(house.cluster.objects("Ingress")).toHaveLength(1);
  await worker.close();
  expect(await worker.closed).toBe("stopped");
  expect(await house.lockedJobs()).toEqual([]);
});

test("what somebody removes from the cluster comes back, told by the watch", async () => {
  await using house = await startTestHouse();
  await using worker = await startWorker(house.options);
  await house.running(await house.order());
  const [before] = house.cluster.objects("Deployment");
  const path = `/apis/apps/v1/namespaces/${before?.metadata.namespace}/deployments/${before?.metadata.name}`;
  const token = /token: "?([^"\s]+)/.exec(house.cluster.kubeconfig)?.[1];
  const answer = await fetch(house.cluster.url + path, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  await until("it is there again", () => {
    const [now] = house.cluster.objects("Deployment");
    return now !== undefined && now.metadata.uid !== before?.metadata.uid;
  });
  expect(worker.poolId).toMatch(/^pool-/);
});

test("an app whose job was lost is found by the sweep and counted", async () => {
  await using house = await startTestHouse();
  const instanceId = await house.order();
  await house.sql("delete from graphile_worker._private_jobs");
  await using worker = await startWorker(house.options);
  await runJob(house.core, "instance:sweep", {});
  await house.running(instanceId);
  const metrics = await (await fetch(`${worker.internalUrl}/metrics`)).text();
  expect(metrics).toMatch(/sewa_sweep_corrections_total\{sweep="instance"\} [1-9]/);
});

test("Q4 a job that ends while the worker stops leaves no locked row, and the pool says good-bye", async () => {
  await using house = await startTestHouse({ latencyMs: 20 });
  for (let round = 0; round < 3; round += 1) {
    await using worker = await startWorker(house.options);
    const instanceId = await house.order();
    await until("the job runs", async () => (await house.lockedJobs()).length > 0);
    await worker.close();
    expect(await house.lockedJobs()).toEqual([]);
    const pools = await house.sql(`select state from worker_pools where pool_id = '${worker.poolId}'`);
    expect(pools).toEqual([{ state: "ended" }]);
    expect(await house.sql(`select id from instances where id = '${instanceId}'`)).toHaveLength(1);
  }
});

test.each([
  ["no uuid", { instanceId: "../../etc" }, /instanceId/],
  ["unknown fields", { instanceId: "01a1fd78-ef6f-7888-add7-58ae708fc93e", limits: { cpu: 1 } }, /limits/],
  ["no object", [1, 2], /instance:reconcile/],
])("a payload with %s is refused by its task and says why in its row", async (_, payload, words) => {
  await using house = await startTestHouse();
  await using _worker = await startWorker(house.options);
  await house.sql(`select graphile_worker.add_job('instance:reconcile', '${JSON.stringify(payload)}'::json)`);
  const job = await until("it failed", async () => {
    const [row] = await house.sql("select * from graphile_worker._private_jobs where last_error is not null");
    return row;
  });
  expect(job["last_error"]).toMatch(words);
  expect(job["last_error"]).toContain("The payload does not fit instance:reconcile.");
  expect(job).toMatchObject({ is_available: true, locked_by: null, attempts: 1, max_attempts: 25 });
});

test("a machine is closed in the cluster as an operator asked, and its row follows", async () => {
  await using house = await startTestHouse();
  await using _worker = await startWorker(house.options);
  await runJob(house.core, "node:reconcile", {});
  const name = await until("the cluster's machines are known", async () => {
    const [row] = await house.sql("select name from nodes where role = 'worker' and removed_at is null order by name");
    return (
      house.cluster.objects("Node").some(({ metadata }) => metadata.name === row?.["name"]) && String(row?.["name"])
    );
  });
  await setNodeSchedulable(house.core, { name, schedulable: false });
  await until("it is closed", async () => {
    const [row] = await house.sql(`select is_schedulable from nodes where name = '${name}'`);
    return row?.["is_schedulable"] === false;
  });
  const node = house.cluster.objects("Node").find(({ metadata }) => metadata.name === name);
  expect(node?.["spec"]).toMatchObject({ unschedulable: true });
});

test("a worker whose cluster is away works on what needs none, and on apps when it is back", async () => {
  await using house = await startTestHouse();
  const cluster = {
    ...house.options.cluster!,
    kubeconfig: house.cluster.kubeconfig.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:9"),
  };
  const instanceId = await house.order();
  {
    await using worker = await startWorker({ ...house.options, cluster });
    await runJob(house.core, "house:clean", {});
    await until("the rest is done", async () => {
      return (
        (await house.sql("select id from graphile_worker.jobs where task_identifier = 'house:clean'")).length === 0
      );
    });
    expect((await fetch(`${worker.internalUrl}/healthz`)).status).toBe(200);
  }
  await using _worker = await startWorker(house.options);
  await house.sql("update graphile_worker._private_jobs set run_at = now()");
  await house.running(instanceId);
});

test("health, readiness and metrics are told on the internal port, and nothing else", async () => {
  await using house = await startTestHouse();
  await using worker = await startWorker(house.options);
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(worker.internalUrl + path, init);
    return { status: response.status, text: await response.text() };
  };
  expect(await ask("/healthz")).toMatchObject({ status: 200, text: expect.stringContaining(worker.poolId) as string });
  expect(await ask("/readyz")).toEqual({ status: 200, text: '{"status":"ready"}' });
  const { text: metrics } = await ask("/metrics");
  expect(metrics).toContain("sewa_watch_lists_total");
  expect(metrics).toContain('sewa_inventory_findings{kind="orphan_namespace"} 0');
  expect((await ask("/healthz", { method: "POST" })).status).toBe(405);
  expect((await ask("/")).status).toBe(404);
  await until("its heartbeat tells where it is asked", async () => {
    const [pool] = await house.sql(`select internal_url from worker_pools where pool_id = '${worker.poolId}'`);
    return pool?.["internal_url"] === worker.internalUrl;
  });
});

test("Q6 Q17 a runner that ends by itself ends the worker as broken", async () => {
  await using house = await startTestHouse();
  await using worker = await startWorker(house.options);
  const exitCode = process.exitCode;
  try {
    let end: string | null = null;
    void worker.closed.then((value) => (end = value));
    await house.breakQueue(() => end !== null);
    expect(end).toBe("broken");
  } finally {
    // The queue sets one of its own on this occasion.
    process.exitCode = exitCode;
  }
  await expect(fetch(`${worker.internalUrl}/healthz`)).rejects.toThrow("fetch failed");
});

test("three workers share the work, and each app is made once", async () => {
  await using house = await startTestHouse();
  await using first = await startWorker(house.options);
  await using second = await startWorker(house.options);
  await using third = await startWorker(house.options);
  const ids = [await house.order(), await house.order(), await house.order()];
  for (const id of ids) await house.running(id);
  for (const worker of [first, second, third]) await worker.close();
  expect(house.cluster.objects("Deployment")).toHaveLength(ids.length);
  expect(await house.sql("select id from events where type = 'instance.ready'")).toHaveLength(ids.length);
  expect(await house.sql("select id from notifications where kind = 'app_ready'")).toHaveLength(ids.length);
  expect(await house.lockedJobs()).toEqual([]);
});

test("Q17 a worker that is older than the queue's tables does not start, and says so", async () => {
  await using house = await startTestHouse();
  await house.sql("insert into graphile_worker.migrations (id, breaking) values (1000000, true)");
  await expect(startWorker(house.options)).rejects.toThrow(/1000000.*breaking|breaking.*1000000/);
});
