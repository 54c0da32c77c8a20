import {
  type Proxy,
  startProcess,
  startProxy,
  startTestHouse,
  stopProcess,
  type TestHouse,
  type TestProcess,
  until,
} from "@sewa/worker/testing";
import { beforeAll, expect, test } from "vitest";
import { programFile } from "../programs.ts";

const started = /"msg":"worker started"/;
let main: string;
beforeAll(async () => {
  main = await programFile("apps/worker/main.ts");
});

/** Ends a worker in mid-provision, and lets a new one bring the app up, once. */
async function expectSuccession(end: (first: TestProcess) => Promise<unknown>): Promise<void> {
  await using house = await startTestHouse({ latencyMs: 150 });
  const instanceId = await house.order();
  await using first = startProcess([main], house.env);
  await until("it is in the middle", async () => {
    const isHeld = (await house.lockedJobs()).some((job) => JSON.stringify(job).includes("instance:reconcile"));
    return isHeld && house.cluster.objects("Secret").length > 0;
  });
  expect(await end(first)).toMatch(/^SIG/);
  expect(await house.lockedJobs()).not.toEqual([]);
  // A minute of silence: what the dead one held is free for others.
  await house.sql("update worker_pools set beat_at = now() - interval '61 seconds'");
  await house.sql("update instance_leases set leased_until = now() - interval '1 second'");
  await using second = startProcess([main], house.env);
  await house.running(instanceId, 30_000);
  expect(await stopProcess(second, "SIGTERM")).toBe(0);
  expect(second.output()).toContain("jobs of dead workers were taken over");
  for (const kind of ["Deployment", "PersistentVolumeClaim", "Ingress"]) {
    expect({ kind, count: house.cluster.objects(kind).length }).toEqual({ kind, count: 1 });
  }
  expect(await house.sql("select id from events where type = 'instance.ready'")).toHaveLength(1);
  expect(await house.sql("select id from notifications where kind = 'app_ready'")).toHaveLength(1);
  expect(await house.lockedJobs()).toEqual([]);
}

test("Q1 after kill -9 in mid-provision a new worker brings the app up, once", async () => {
  await expectSuccession((first) => stopProcess(first, "SIGKILL"));
}, 60_000);

test("Q5 SIGTERM twice ends a busy worker at once, and a new one brings the app up, once", async () => {
  await expectSuccession(async (first) => {
    first.child.kill("SIGTERM");
    await until("it was told once", () => first.output().includes("Runner stopping"));
    return stopProcess(first, "SIGTERM");
  });
}, 60_000);

test("Q4 SIGTERM ends the process by itself with 0, and nothing stays locked", async () => {
  await using house = await startTestHouse();
  await using worker = startProcess([main], house.env);
  await until("it runs", () => started.test(worker.output()));
  expect(await stopProcess(worker, "SIGTERM")).toBe(0);
  expect(await house.sql("select state from worker_pools")).toEqual([{ state: "ended" }]);
});

test("Q6 Q17 a queue that gives up ends the process with 70", async () => {
  await using house = await startTestHouse();
  await using worker = startProcess([main], house.env);
  await until("it runs", () => started.test(worker.output()));
  await house.breakQueue(() => worker.child.exitCode !== null);
  expect(await worker.exited).toBe(70);
});

test("O6 a wrong environment is explained whole, without a value, and ends with 78", async () => {
  await using worker = startProcess([main], {
    DATABASE_URL: "mysql://root:hunter2@db",
    SMTP_URL: "smtp://127.0.0.1:25",
    JOB_CONCURRENCY: "many",
    SECRETS_KEYRING: "main:c2hvcnQ=",
    KUBECONFIG: "/nowhere/kubeconfig",
    TEST_CLOCKS: "",
  });
  expect(await worker.exited).toBe(78);
  const lines = worker.output().trim().split("\n").slice(1);
  expect(lines.map((line) => line.split(":")[0]).toSorted((a = "", b = "") => a.localeCompare(b))).toEqual([
    "DATABASE_URL",
    "JOB_CONCURRENCY",
    "KUBECONFIG",
    "MAIL_FROM",
    "PORTAL_URL",
    "SECRETS_KEYRING",
  ]);
  expect(worker.output()).not.toMatch(/hunter2|c2hvcnQ|many/);
});

test("a database that is not there ends the start with 1 and no address in the log", async () => {
  await using house = await startTestHouse();
  await using worker = startProcess([main], {
    ...house.env,
    DATABASE_URL: "postgres://sewa:hunter2@127.0.0.1:9/sewa",
  });
  expect(await worker.exited).toBe(1);
  expect(worker.output()).toMatch(/"err":\{.*ECONNREFUSED.*"msg":"worker could not start"/);
  expect(worker.output()).not.toContain("hunter2");
});

/** A worker process whose way to the database can be cut. */
async function startBehindProxy(house: TestHouse): Promise<{ readonly worker: TestProcess; readonly proxy: Proxy }> {
  const url = new URL(house.env["DATABASE_URL"] ?? "");
  const proxy = await startProxy(url.hostname, Number(url.port));
  url.port = String(proxy.port);
  const worker = startProcess([main], { ...house.env, DATABASE_URL: url.href });
  await until("it runs", () => started.test(worker.output()));
  return { worker, proxy };
}

test("Q6 a worker whose connections are all cut goes on working, or ends as broken; it never lingers", async () => {
  await using house = await startTestHouse();
  const behind = await startBehindProxy(house);
  await using worker = behind.worker;
  await using proxy = behind.proxy;
  proxy.cut();
  const instanceId = await house.order();
  await until("it is at work again, or has ended", async () => {
    const [row] = await house.sql(`select observed_phase from instances where id = '${instanceId}'`);
    return worker.child.exitCode !== null || row?.["observed_phase"] === "running";
  });
  expect([null, 70]).toContain(worker.child.exitCode);
}, 60_000);

test("SIGTERM ends a worker whose database is gone", async () => {
  await using house = await startTestHouse();
  const { worker: opened, proxy } = await startBehindProxy(house);
  await using worker = opened;
  await proxy[Symbol.asyncDispose]();
  await until("it has noticed", () => /ECONNRE|CONNECTION_CLOSED/.test(worker.output()));
  const code = await stopProcess(worker, "SIGTERM");
  // 70: it was in the middle of a write and broke of its own.
  expect([0, 70]).toContain(code);
}, 60_000);

test("Q7 a worker whose database goes away and comes back works on, or ends for a successor, and its work is done", async () => {
  await using house = await startTestHouse();
  const { worker: opened, proxy } = await startBehindProxy(house);
  await using first = opened;
  await proxy[Symbol.asyncDispose]();
  const orders = [await house.order(), await house.order()];
  await until("it has noticed", () => /ECONNRE|CONNECTION_CLOSED|connection/i.test(first.output()));
  const url = new URL(house.env["DATABASE_URL"] ?? "");
  await using _back = await startProxy(url.hostname, Number(url.port), 0, proxy.port);
  const isDone = async (): Promise<boolean> => {
    const rows = await house.sql("select id from instances where observed_phase = 'running'");
    return rows.length === orders.length;
  };
  await until("it works again, or has ended", async () => first.child.exitCode !== null || isDone(), 40_000);
  expect([null, 70]).toContain(first.child.exitCode);
  // What its supervisor does then.
  await using _successor = first.child.exitCode === null ? null : startProcess([main], house.env);
  await house.sql("update graphile_worker._private_jobs set locked_at = locked_at - interval '10 minutes'");
  await until("the work is done", isDone, 40_000);
  expect(house.cluster.objects("Deployment")).toHaveLength(orders.length);
}, 120_000);
