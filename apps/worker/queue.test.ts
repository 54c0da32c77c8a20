import { type CoreContext, endPool, enqueue, type JobName, type JobPayload, listJobs, reapDeadPools } from "@sewa/core";
import { runOnce } from "graphile-worker";
import { expect, test } from "vitest";
import { openTaskContext } from "./context.ts";
import { createTaskList, defineTask, type TaskDefinition } from "./define-task.ts";
import { createLog, graphileLogger } from "./log.ts";
import { type Queue, type QueueOptions, startQueue } from "./queue.ts";
import { startProxy, startTestHouse, type TestHouse, until } from "./test-house.ts";

/** A queue with tasks of the test's own under the names of ours. */
async function startTestQueue(
  house: TestHouse,
  tasks: readonly TaskDefinition[],
  options: Partial<Pick<QueueOptions, "concurrency" | "patience" | "databaseUrl" | "log">> = {},
): Promise<Queue> {
  const context = openTaskContext({ ...house.options, cluster: null });
  const { concurrency = 2, databaseUrl = house.options.databaseUrl, log = house.options.log, ...rest } = options;
  const taskList = createTaskList(tasks, () => context, { hasCluster: false });
  const queue = await startQueue({
    databaseUrl,
    concurrency,
    tasks: taskList,
    log,
    onListenReconnect: () => undefined,
    ...rest,
  });
  return {
    ...queue,
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await context[Symbol.asyncDispose]();
    },
  };
}

function add<N extends JobName>(core: CoreContext, name: N, payload: JobPayload<N>): Promise<void> {
  return core.transaction((tx) => enqueue(tx, name, payload));
}

/** As if the back-off were over. */
const hurry = (house: TestHouse) =>
  house.sql("update graphile_worker._private_jobs set run_at = now() where locked_at is null");

const forEver = (): Promise<void> => new Promise(() => undefined);

test("Q10 a job that never ends has failed at its deadline, whether it hears its signal or not, and the queue goes on", async () => {
  await using house = await startTestHouse();
  const reasons: unknown[] = [];
  const done: string[] = [];
  await using _queue = await startTestQueue(
    house,
    [
      defineTask("house:clean", forEver, { deadlineSeconds: 0.05 }),
      defineTask(
        "mail:sweep",
        async (_context, _payload, { signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          reasons.push((signal.reason as Error).message);
          signal.throwIfAborted();
        },
        { deadlineSeconds: 0.05 },
      ),
      defineTask("instance:sweep", async () => void done.push("instance:sweep")),
    ],
    { concurrency: 1 },
  );
  await add(house.core, "house:clean", {});
  await add(house.core, "mail:sweep", {});
  await until("both have failed", async () => {
    const jobs = (await listJobs(house.core, {})).items;
    return jobs.length === 2 && jobs.every(({ lastError, lockedBy }) => lastError !== null && lockedBy === null);
  });
  await add(house.core, "instance:sweep", {});
  await until("the next job was done", () => done.length > 0);
  expect(reasons[0]).toBe("mail:sweep did not end within 0.05 s.");
  const errors = (await listJobs(house.core, {})).items.map(({ task, lastError }) => [task, lastError]);
  expect(Object.fromEntries(errors)).toMatchObject({
    "house:clean": "house:clean did not end within 0.05 s.",
    "mail:sweep": "mail:sweep did not end within 0.05 s.",
  });
});

test("Q4 SIGTERM during a long job leaves no locked job behind, whether the job listens or not", async () => {
  await using house = await startTestHouse();
  const running = new Set<string>();
  const listening = defineTask("mail:sweep", async (_context, _payload, { signal }) => {
    running.add("mail:sweep");
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  });
  const deaf = defineTask("house:clean", async () => {
    running.add("house:clean");
    await forEver();
  });
  const queue = await startTestQueue(house, [listening, deaf], { patience: { abortMs: 50, leaveMs: 500 } });
  await add(house.core, "house:clean", {});
  await add(house.core, "mail:sweep", {});
  await until("both run", () => running.size === 2);
  expect(await house.lockedJobs()).toHaveLength(2);
  await queue[Symbol.asyncDispose]();
  await endPool(house.core, queue.poolId);
  expect(await house.lockedJobs()).toEqual([]);
  // Both are tried again, by whoever comes next.
  expect((await listJobs(house.core, {})).items.map(({ status }) => status)).toEqual(["waiting", "waiting"]);
});

test("Q8 a job that always throws is tried with growing pauses, blocks nobody, and ends as failed with its reason", async () => {
  await using house = await startTestHouse();
  let tries = 0;
  let others = 0;
  await using _queue = await startTestQueue(
    house,
    [
      defineTask("house:clean", async () => {
        tries += 1;
        throw new Error("There is no broom.");
      }),
      defineTask("mail:sweep", async () => void (others += 1)),
    ],
    { concurrency: 1 },
  );
  await add(house.core, "house:clean", {});
  const pauses: number[] = [];
  for (let round = 1; round <= 25; round += 1) {
    await until(`it has failed ${round} times`, async () => {
      const [job] = (await listJobs(house.core, { task: "house:clean" })).items;
      return job?.attempts === round && job.lockedBy === null;
    });
    const [row] = await house.sql(
      "select extract(epoch from run_at - updated_at)::int as pause from graphile_worker._private_jobs where key = 'house:clean'",
    );
    pauses.push(Number(row?.["pause"]));
    await hurry(house);
    await add(house.core, "mail:sweep", {});
    await until("the others go on", () => others === round);
  }
  expect(tries).toBe(25);
  expect(pauses.slice(0, 4)).toEqual(pauses.slice(0, 4).toSorted((a, b) => a - b));
  expect(pauses[3]).toBeGreaterThan(pauses[0]!);
  expect((await listJobs(house.core, { status: "failed" })).items).toMatchObject([
    { task: "house:clean", attempts: 25, lastError: "There is no broom." },
  ]);
});

test("Q13 a job that only a newer version knows or understands is left for it, and is not failed for good", async () => {
  await using house = await startTestHouse();
  const notificationId = house.core.ids.next();
  const payload = JSON.stringify({ notificationId, channel: "sms" });
  await house.sql(`select graphile_worker.add_job('mail:send', '${payload}'::json)`);
  await house.sql("select graphile_worker.add_job('invoice:print', '{}'::json)");
  const ran: unknown[] = [];
  {
    await using _older = await startTestQueue(house, [defineTask("mail:send", async () => void ran.push("older"))]);
    await until("the older one has met it", async () => (await listJobs(house.core, {})).items[0]?.lastError);
  }
  expect((await listJobs(house.core, {})).items).toMatchObject([
    { task: "mail:send", status: "waiting", attempts: 1, lastError: expect.stringContaining("channel") as string },
    { task: "invoice:print", status: "waiting", attempts: 0, lastError: null },
  ]);
  await hurry(house);
  const newer = async (given: unknown): Promise<void> => void ran.push(given);
  await runOnce({
    connectionString: house.options.databaseUrl,
    taskList: { "mail:send": newer, "invoice:print": newer },
    noHandleSignals: true,
    logger: graphileLogger(house.options.log),
  });
  expect(ran).toHaveLength(2);
  expect(ran).toContainEqual({ notificationId, channel: "sms" });
  await until("nothing is left", async () => (await listJobs(house.core, {})).items.length === 0);
});

test("Q15 in a very long queue what a customer waits for goes first", async () => {
  await using house = await startTestHouse();
  await add(house.core, "mail:send", { notificationId: house.core.ids.next() });
  await house.sql(
    `insert into graphile_worker._private_jobs (task_id, payload, priority, run_at)
      select task_id, payload, priority, run_at - interval '1 hour' from graphile_worker._private_jobs, generate_series(1, 100000)`,
  );
  await add(house.core, "house:clean", {});
  const organizationId = house.core.ids.next();
  await add(house.core, "clock:advance", { organizationId });
  const started: string[] = [];
  const held = Promise.withResolvers<void>();
  const note = (name: JobName): TaskDefinition =>
    defineTask(name, async () => {
      started.push(name);
      if (name === "mail:send") await held.promise;
    });
  await using _queue = await startTestQueue(
    house,
    (["mail:send", "house:clean", "clock:advance"] as const).map((name) => note(name)),
    { concurrency: 1 },
  );
  await until("the long queue has its turn", () => started.includes("mail:send"));
  expect(started).toEqual(["clock:advance", "mail:send"]);
  // What is left is nobody's business here.
  await house.sql("delete from graphile_worker._private_jobs where locked_at is null");
  held.resolve();
});

test("Q12 a prompt that comes while its job runs is carried out after it, and none is kept twice", async () => {
  await using house = await startTestHouse();
  const notificationId = house.core.ids.next();
  const held = Promise.withResolvers<void>();
  let runs = 0;
  await using _queue = await startTestQueue(
    house,
    [
      defineTask("mail:send", async () => {
        runs += 1;
        await held.promise;
      }),
    ],
    { concurrency: 1 },
  );
  await add(house.core, "mail:send", { notificationId });
  await until("it runs", () => runs === 1);
  for (let round = 0; round < 5; round += 1) await add(house.core, "mail:send", { notificationId });
  expect((await listJobs(house.core, { status: "waiting" })).items).toHaveLength(1);
  held.resolve();
  await until("nothing is left", async () => (await listJobs(house.core, {})).items.length === 0);
  expect(runs).toBe(2);
});

test("Q6 when PostgreSQL is away as jobs end, the queue ends, and they are found again, done again and gone", async () => {
  await using house = await startTestHouse();
  const url = new URL(house.options.databaseUrl);
  const proxy = await startProxy(url.hostname, Number(url.port));
  url.port = String(proxy.port);
  const lines: string[] = [];
  const log = createLog({ level: "error" }, { write: (line) => void lines.push(line) });
  const names = ["house:clean", "mail:sweep", "instance:sweep", "payment:sweep"] as const;
  const held = new Map(names.map((name) => [name, Promise.withResolvers<void>()]));
  const runs: string[] = [];
  const tasks = names.map((name) =>
    defineTask(name, async () => {
      runs.push(name);
      await held.get(name)!.promise;
    }),
  );
  const exitCode = process.exitCode;
  {
    await using queue = await startTestQueue(house, tasks, { databaseUrl: url.href, concurrency: names.length, log });
    for (const name of names) await add(house.core, name, {});
    await until("all run", () => runs.length === names.length);
    await proxy[Symbol.asyncDispose]();
    // Their ends cannot be written, one after the other. The queue gives up at the first, which ends the process.
    for (const [count, name] of names.entries()) {
      held.get(name)!.resolve();
      await until("it has failed", () => lines.filter((line) => line.includes("Failed to complete")).length > count);
    }
    await queue.ended;
  }
  process.exitCode = exitCode;
  expect(await house.lockedJobs()).toHaveLength(names.length);
  await house.sql("update graphile_worker._private_jobs set locked_at = locked_at - interval '10 minutes'");
  expect(await reapDeadPools(house.core)).toHaveLength(1);
  await using _next = await startTestQueue(house, tasks);
  await until("they are done", async () => (await listJobs(house.core, {})).items.length === 0);
  expect(runs.toSorted()).toEqual([...names, ...names].toSorted());
}, 60_000);
