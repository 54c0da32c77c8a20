import { expect, test } from "vitest";
import { startProcess, startTestHouse, stopProcess, until } from "./test-house.ts";

const started = /"msg":"worker started"/;

test("after kill -9 in mid-provision a new worker brings the app up, once", async () => {
  await using house = await startTestHouse({ latencyMs: 60 });
  const instanceId = await house.order();
  await using first = startProcess(["main.ts"], house.env);
  await until("it is in the middle", async () => {
    const isHeld = (await house.lockedJobs()).some((job) => JSON.stringify(job).includes("instance:reconcile"));
    return isHeld && house.cluster.objects("Secret").length > 0;
  });
  expect(await stopProcess(first, "SIGKILL")).toBe("SIGKILL");
  expect(await house.lockedJobs()).not.toEqual([]);
  // A minute of silence: what the dead one held is free for others.
  await house.sql("update worker_pools set beat_at = now() - interval '61 seconds'");
  await house.sql("update instance_leases set leased_until = now() - interval '1 second'");
  await using second = startProcess(["main.ts"], house.env);
  await house.running(instanceId, 30_000);
  expect(await stopProcess(second, "SIGTERM")).toBe(0);
  expect(second.output()).toContain("jobs of dead workers were taken over");
  for (const kind of ["Deployment", "PersistentVolumeClaim", "Ingress"]) {
    expect(house.cluster.objects(kind), kind).toHaveLength(1);
  }
  expect(await house.sql("select id from events where type = 'instance.ready'")).toHaveLength(1);
  expect(await house.sql("select id from notifications where kind = 'app_ready'")).toHaveLength(1);
  expect(await house.lockedJobs()).toEqual([]);
}, 60_000);

test("SIGTERM ends the process by itself with 0, and nothing stays locked", async () => {
  await using house = await startTestHouse();
  await using worker = startProcess(["main.ts"], house.env);
  await until("it runs", () => started.test(worker.output()));
  expect(await stopProcess(worker, "SIGTERM")).toBe(0);
  expect(await house.sql("select state from worker_pools")).toEqual([{ state: "ended" }]);
});

test("a queue that gives up ends the process with 70", async () => {
  await using house = await startTestHouse();
  await using worker = startProcess(["main.ts"], house.env);
  await until("it runs", () => started.test(worker.output()));
  await house.breakQueue(() => worker.child.exitCode !== null);
  expect(await worker.exited).toBe(70);
});

test("a wrong environment is explained whole, without a value, and ends with 78", async () => {
  await using worker = startProcess(["main.ts"], {
    DATABASE_URL: "mysql://root:hunter2@db",
    SMTP_URL: "smtp://127.0.0.1:25",
    JOB_CONCURRENCY: "many",
    SECRETS_KEYRING: "main:c2hvcnQ=",
    KUBECONFIG: "/nowhere/kubeconfig",
    TEST_CLOCKS: "",
  });
  expect(await worker.exited).toBe(78);
  const lines = worker.output().trim().split("\n").slice(1);
  expect(lines.map((line) => line.split(":")[0]).toSorted()).toEqual([
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
  await using worker = startProcess(["main.ts"], {
    ...house.env,
    DATABASE_URL: "postgres://sewa:hunter2@127.0.0.1:9/sewa",
  });
  expect(await worker.exited).toBe(1);
  expect(worker.output()).toContain("worker could not start");
  expect(worker.output()).not.toContain("hunter2");
});
