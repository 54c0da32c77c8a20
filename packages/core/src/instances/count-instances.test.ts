import { describe, expect, test } from "vitest";
import { runJob } from "../jobs/index.ts";
import { observations, provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { countRestarts } from "./instance.ts";
import { countInstances, createInstanceStore, restartInstance, stopInstance } from "./index.ts";

async function given() {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx.forRequest("request-of-the-order"));
  const { instanceId } = subscription;
  return { core, ctx, instanceId, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() };
}

const [pod] = observations.running.pods;
const restarted = (restarts: number) => ({ ...observations.running, pods: [{ ...pod, restarts }] });

test("an app is unsettled from the wish on until the world is as wanted, and again from the moment it is not", async () => {
  await using app = await given();
  const { ctx, clock } = app.core;
  const later = (seconds: number): void => clock.set(new Date(clock.now().getTime() + seconds * 1_000));
  later(40);
  expect(await countInstances(ctx)).toEqual([
    { desired: "running", phase: "absent", reason: null, count: 1, oldestUnsettledSeconds: 40 },
  ]);
  await provisionOnce(ctx, app.instanceId, observations.crashing);
  later(5);
  expect(await countInstances(ctx)).toMatchObject([{ reason: "CRASH_LOOP", oldestUnsettledSeconds: 45 }]);
  await provisionOnce(ctx, app.instanceId);
  later(600);
  expect(await countInstances(ctx)).toMatchObject([{ phase: "running", oldestUnsettledSeconds: 0 }]);
  await provisionOnce(ctx, app.instanceId, { ...observations.running, phase: "degraded", reason: "NODE_LOST" });
  later(7);
  expect(await countInstances(ctx)).toMatchObject([{ phase: "degraded", oldestUnsettledSeconds: 7 }]);
});

test("what was never begun or is gone is counted no more", async () => {
  await using app = await given();
  await givenOrder(app.ctx, { plan: "small", key: "unpaid-order-1" });
  await provisionOnce(app.core.ctx, app.instanceId);
  const counts = await countInstances(app.core.ctx);
  expect(counts.map(({ desired, count }) => [desired, count])).toEqual([["running", 1]]);
});

test("what a pass records goes back to the request whose operation it serves, and its label outlives the operation", async () => {
  await using app = await given();
  await provisionOnce(app.core.ctx.forRequest("of-somebody-else"), app.instanceId);
  const mails = await app.core.database.drizzle.execute(
    "select payload ->> '_requestId' as request from graphile_worker._private_jobs where key like 'mail:send:%'",
  );
  expect(mails).toEqual([{ request: "request-of-the-order" }]);
  const specOf = async () => {
    const store = createInstanceStore(app.core.ctx, `test-${app.core.ctx.ids.next()}`);
    await using lease = await store.lease(app.instanceId);
    return await store.load(lease!);
  };
  expect(await specOf()).toMatchObject({ requestId: null, spec: { requestId: "request-of-the-order" } });
  const next = app.ctx.forRequest("request-of-the-restart");
  await restartInstance(next, { instanceId: app.instanceId, idempotencyKey: "restart-once" });
  expect(await specOf()).toMatchObject({
    requestId: "request-of-the-restart",
    spec: { requestId: "request-of-the-restart" },
  });
});

test("a job names the request that added it last, beside its payload", async () => {
  await using app = await given();
  const requests = async (): Promise<readonly unknown[]> => {
    const rows = await app.core.database.drizzle.execute(
      "select payload from graphile_worker._private_jobs where key like 'instance:reconcile:%'",
    );
    return rows.map(({ payload }) => payload);
  };
  expect(await requests()).toEqual([{ instanceId: app.instanceId, _requestId: "request-of-the-order" }]);
  await provisionOnce(app.core.ctx, app.instanceId);
  await stopInstance(app.ctx.forRequest("request-of-the-stop"), {
    instanceId: app.instanceId,
    idempotencyKey: "stop-once-1",
  });
  expect(await requests()).toEqual([{ instanceId: app.instanceId, _requestId: "request-of-the-stop" }]);
  await runJob(app.core.ctx, "instance:reconcile", { instanceId: app.instanceId });
  expect(await requests()).toEqual([{ instanceId: app.instanceId }]);
});

describe("restarts of containers", () => {
  test("are told once, however often they are looked at, and by the writer who held the lease", async () => {
    await using app = await given();
    const look = async (restarts: number): Promise<number> => {
      const store = createInstanceStore(app.core.ctx, `test-${app.core.ctx.ids.next()}`);
      await using lease = await store.lease(app.instanceId);
      const { spec } = (await store.load(lease!))!;
      return (await store.recordObserved(lease!, spec.generation, restarted(restarts))).restarts;
    };
    expect([await look(0), await look(2), await look(2), await look(5)]).toEqual([0, 2, 0, 3]);
  });

  test.each([
    ["a new pod counts from zero", [["old", 7]], [["new", 1]], 1],
    ["a pod that is gone takes nothing back", [["old", 7]], [], 0],
    ["a counter that went back is no restart", [["same", 7]], [["same", 2]], 0],
    [
      "each pod for itself",
      [
        ["a", 1],
        ["b", 4],
      ],
      [
        ["a", 3],
        ["b", 5],
      ],
      3,
    ],
  ] as const)("%s", (_, before, now, expected) => {
    const pods = (list: readonly (readonly [string, number])[]) =>
      list.map(([name, restarts]) => ({ ...pod, name, restarts }));
    expect(countRestarts(pods(before), pods(now))).toBe(expected);
  });
});
