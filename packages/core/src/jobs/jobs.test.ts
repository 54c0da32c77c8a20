import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { testCore } from "../testing/test-core.ts";
import {
  beatPool,
  cancelJob,
  endPool,
  enqueue,
  enqueueMissing,
  jobs,
  listJobs,
  reapDeadPools,
  retryJob,
  runJob,
} from "./index.ts";

const lock = (pool: string, attempts: number) =>
  `update graphile_worker._private_jobs set locked_by = '${pool}', locked_at = now() - interval '5 minutes', attempts = ${attempts}`;

test("the same prompt twice is one job, and a prompt with a wrong payload is refused when it is added", async () => {
  await using core = await testCore();
  const instanceId = core.ctx.ids.next();
  for (let round = 0; round < 2; round += 1)
    await core.ctx.transaction((tx) => enqueue(tx, "instance:reconcile", { instanceId }));
  expect((await listJobs(core.ctx, {})).items).toMatchObject([
    { task: "instance:reconcile", key: `instance:reconcile:${instanceId}`, status: "waiting" },
  ]);
  await expect(core.ctx.transaction((tx) => enqueue(tx, "instance:reconcile", { instanceId: "x" }))).rejects.toThrow(
    "Invalid UUID",
  );
  await expect(runJob(core.ctx, "no:task", {})).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(runJob(core.ctx, "instance:reconcile", { instanceId, more: 1 })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});

test("jobs of a silent worker are released, those of a living one are not, and a last attempt is given once more", async () => {
  await using core = await testCore();
  const { drizzle } = core.database;
  const pool = (poolId: string) => beatPool(core.ctx, { poolId, host: "a", version: "1", internalUrl: null });
  await runJob(core.ctx, "house:clean", {});
  await pool("alive");
  await drizzle.execute(lock("alive", 1));
  expect(await reapDeadPools(core.ctx)).toEqual([]);

  await drizzle.execute("update worker_pools set beat_at = now() - interval '61 seconds'");
  await drizzle.execute(lock("alive", 25));
  expect((await listJobs(core.ctx, {})).items[0]).toMatchObject({ status: "running" });
  expect(await reapDeadPools(core.ctx)).toEqual(["alive"]);
  expect((await listJobs(core.ctx, {})).items[0]).toMatchObject({ status: "waiting", attempts: 24 });

  await drizzle.execute(lock("never-seen", 1));
  expect(await reapDeadPools(core.ctx)).toEqual(["never-seen"]);
});

test("a failed job can be given its tries again, a waiting one can be taken out, and both are audited", async () => {
  await using core = await testCore();
  await runJob(core.ctx, "house:clean", {});
  await core.database.drizzle.execute("update graphile_worker._private_jobs set attempts = 25");
  const [failed] = (await listJobs(core.ctx, { status: "failed" })).items;
  await retryJob(core.ctx, failed!.id);
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ status: "waiting", attempts: 0 }]);
  await cancelJob(core.ctx, failed!.id);
  expect((await listJobs(core.ctx, {})).items).toEqual([]);
  await expect(retryJob(core.ctx, failed!.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const audit = await core.database.drizzle.execute("select action from operator_audit_entries order by id");
  expect(audit.map((row) => row["action"])).toEqual(["job.run", "job.retry", "job.cancel"]);
});

test("a prompt that was given again while a worker that died ran its job leaves nothing behind", async () => {
  await using core = await testCore();
  await runJob(core.ctx, "house:clean", {});
  await core.database.drizzle.execute(lock("never-seen", 1));
  await runJob(core.ctx, "house:clean", {});
  expect((await listJobs(core.ctx, {})).items).toHaveLength(2);
  expect(await reapDeadPools(core.ctx)).toEqual(["never-seen"]);
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ key: "house:clean", status: "waiting", attempts: 0 }]);
});

test("a prompt that was given again while its job ran and then failed leaves nothing behind", async () => {
  await using core = await testCore();
  await runJob(core.ctx, "house:clean", {});
  await core.database.drizzle.execute(lock("alive", 1));
  await runJob(core.ctx, "house:clean", {});
  // As the queue does when a run throws.
  await core.database.drizzle.execute(
    "update graphile_worker._private_jobs set locked_by = null, locked_at = null, last_error = 'lost' where locked_by = 'alive'",
  );
  await reapDeadPools(core.ctx);
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ key: "house:clean", status: "waiting", attempts: 0 }]);
});

test("Q2 a job whose worker is killed on its last attempt runs once more, and if that kills it too is shown as failed", async () => {
  await using core = await testCore();
  await runJob(core.ctx, "house:clean", {});
  await core.database.drizzle.execute(lock("never-seen", 25));
  await reapDeadPools(core.ctx);
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ status: "waiting", attempts: 24 }]);

  await core.database.drizzle.execute(lock("its-successor", 25));
  expect(await reapDeadPools(core.ctx)).toEqual(["its-successor"]);
  const failed = (await listJobs(core.ctx, { status: "failed" })).items;
  expect(failed).toMatchObject([
    { task: "house:clean", attempts: 25, lockedBy: null, lastError: expect.stringContaining("died") as string },
  ]);

  // The next prompt is a job with all its chances, and takes the place of the failed one.
  await runJob(core.ctx, "house:clean", {});
  await reapDeadPools(core.ctx);
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ status: "waiting", attempts: 0 }]);
});

test("a pool that says good-bye leaves nothing locked, not even what it could not end", async () => {
  await using core = await testCore();
  await beatPool(core.ctx, { poolId: "leaving", host: "a", version: "1", internalUrl: null });
  await runJob(core.ctx, "house:clean", {});
  await core.database.drizzle.execute(lock("leaving", 3));
  await endPool(core.ctx, "leaving");
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ status: "waiting", attempts: 3, lockedBy: null }]);
});

test("Q11 one key added thousands of times at once is one job that waits, beside the one that runs, and no prompt is refused", async () => {
  await using core = await testCore();
  const instanceId = core.ctx.ids.next();
  const adders = 50;
  const prompts = 20;
  const add = () => core.ctx.transaction((tx) => enqueue(tx, "instance:reconcile", { instanceId }));
  const addAll = () =>
    Promise.all(
      Array.from({ length: adders }, async () => {
        for (let count = 0; count < prompts; count += 1) await add();
      }),
    );
  await addAll();
  expect((await listJobs(core.ctx, {})).items).toMatchObject([{ status: "waiting" }]);
  await core.database.drizzle.execute(lock("running", 1));
  await addAll();
  const statuses = (await listJobs(core.ctx, {})).items.map(({ status }) => status);
  expect(statuses).toEqual(["running", "waiting"]);
});

test("each job is added with its own priority, by a prompt and by a sweep", async () => {
  await using core = await testCore();
  const notificationId = core.ctx.ids.next();
  await core.ctx.transaction((tx) => enqueue(tx, "mail:send", { notificationId }));
  await enqueueMissing(core.ctx, "mail:send", sql`select gen_random_uuid() as id`);
  const rows = await core.database.drizzle.execute("select distinct priority from graphile_worker._private_jobs");
  expect(rows.map((row) => row["priority"])).toEqual([jobs["mail:send"].priority]);
});

test("jobs that are missing are added in the order of their ids, so that two who add the same ones do not wait for each other", async () => {
  await using core = await testCore();
  const ids = Array.from({ length: 50 }, () => crypto.randomUUID());
  const values = sql.join(
    ids.map((id) => sql`(${id}::uuid)`),
    sql`, `,
  );
  expect(await enqueueMissing(core.ctx, "instance:reconcile", sql`select * from (values ${values}) v (id)`)).toBe(50);
  const keys = (await listJobs(core.ctx, { limit: 100 })).items.map(({ key }) => key);
  expect(keys).toEqual(ids.toSorted().map((id) => `instance:reconcile:${id}`));
});
