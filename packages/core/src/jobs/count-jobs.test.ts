import { expect, test } from "vitest";
import { testCore } from "../testing/test-core.ts";
import { beatPool, countJobs, countLivingPools, endPool, enqueue, fromStoredPayload, runJob } from "./index.ts";

test("the queue is counted by task and state, and the job that waits longest is found", async () => {
  await using core = await testCore();
  const { drizzle } = core.database;
  expect(await countJobs(core.ctx)).toEqual([]);
  const ids = Array.from({ length: 4 }, () => core.ctx.ids.next());
  await core.ctx.transaction(async (tx) => {
    for (const instanceId of ids.slice(0, 3)) await enqueue(tx, "instance:reconcile", { instanceId });
    await enqueue(tx, "instance:reconcile", { instanceId: ids[3]! }, { delayMs: 60_000 });
  });
  await runJob(core.ctx, "house:clean", {});
  const change = (set: string, key: string): Promise<unknown> =>
    drizzle.execute(`update graphile_worker._private_jobs set ${set} where key = '${key}'`);
  await change("locked_at = now(), locked_by = 'a'", `instance:reconcile:${ids[0]}`);
  await change("run_at = now() - interval '90 seconds'", `instance:reconcile:${ids[1]}`);
  await change("attempts = max_attempts, run_at = now() - interval '1 day'", "house:clean");
  const [clean, reconcile] = await countJobs(core.ctx);
  expect(clean).toEqual({ task: "house:clean", waiting: 0, delayed: 0, running: 0, failed: 1, oldestDueSeconds: 0 });
  expect(reconcile).toMatchObject({ task: "instance:reconcile", waiting: 2, delayed: 1, running: 1, failed: 0 });
  expect(reconcile!.oldestDueSeconds).toBeGreaterThanOrEqual(90);
});

test("a worker counts while it gives signs of life", async () => {
  await using core = await testCore();
  const beat = (poolId: string) => beatPool(core.ctx, { poolId, host: "a", version: "1", internalUrl: null });
  await beat("alive");
  await beat("silent");
  await beat("ended");
  await endPool(core.ctx, "ended");
  await core.database.drizzle.execute(
    "update worker_pools set beat_at = now() - interval '61 seconds' where pool_id = 'silent'",
  );
  expect(await countLivingPools(core.ctx)).toBe(1);
});

test.each([
  [
    { a: 1, _requestId: "request-1" },
    { payload: { a: 1 }, requestId: "request-1" },
  ],
  [
    { a: 1, _cron: { ts: "2026-11-21T00:00:00Z" } },
    { payload: { a: 1 }, requestId: null },
  ],
  [{ _requestId: { odd: true } }, { payload: {}, requestId: null }],
  [[1, 2], { payload: [1, 2], requestId: null }],
  [null, { payload: null, requestId: null }],
])("of a stored payload %j the task gets what is its own", (stored, expected) => {
  expect(fromStoredPayload(stored)).toEqual(expected);
});
