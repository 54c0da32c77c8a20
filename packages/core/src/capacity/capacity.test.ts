import { capacityHolds, nodePools } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import type { CoreContext } from "../context.ts";
import { createInstance } from "../instances/index.ts";
import { getOrderablePlan, listOfferings } from "../catalog/index.ts";
import { createSubscription } from "../subscriptions/index.ts";
import { givenCatalog, givenCustomer, givenMachines } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import {
  checkCapacity,
  decideCapacity,
  holdCapacity,
  listNodePools,
  listNodes,
  recordNodes,
  releaseCapacity,
  setNodeSchedulable,
} from "./index.ts";

const gib = 1024 ** 3;
const demand = { cpuMillis: 250, memoryBytes: gib / 2 };

async function givenInstances(ctx: CoreContext, count: number): Promise<readonly string[]> {
  const { items } = await listOfferings(ctx, {});
  const planId = items[0]!.plans[0]!.id;
  return ctx.transaction(async (tx) => {
    const { plan, offering } = await getOrderablePlan(tx, planId);
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const subscription = await createSubscription(tx, {
        plan,
        priceId: plan.price!.id,
        currency: "IDR",
        items: [{ kind: "plan", description: "App", quantity: 1, unitAmountMinor: "0" }],
        withTrial: false,
        timeZone: "Asia/Jakarta",
      });
      const instance = await createInstance(tx, {
        subscriptionId: subscription.id,
        planId: plan.id,
        blueprintVersionId: plan.blueprintVersionId,
        offeringSlug: offering.slug,
        name: `App ${index}`,
        parameters: {},
        addons: {},
        limits: plan.limits,
        nodePool: "default",
      });
      ids.push(instance.id);
    }
    return ids;
  });
}

test("where memory is what runs out, as many at once are taken as there is memory for, and no more", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const large = { cpuMillis: 10, memoryBytes: 8 * gib };
  const results = await Promise.allSettled(
    (await givenInstances(ctx, 8)).map((instanceId) =>
      ctx.transaction((tx) => holdCapacity(tx, { instanceId, pool: "default", demand: large })),
    ),
  );
  // 65 % of two machines of 32 GiB.
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
  expect(await listNodePools(core.ctx)).toMatchObject([{ heldMemoryBytes: 40 * gib }]);
});

test("two worker machines of 16 and 8 cores take 76 to 82 apps of 250m and 512 MiB, and refuse the next", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const instances = await givenInstances(ctx, 90);

  let taken = 0;
  const results = await Promise.allSettled(
    instances.map((instanceId) => ctx.transaction((tx) => holdCapacity(tx, { instanceId, pool: "default", demand }))),
  );
  taken = results.filter(({ status }) => status === "fulfilled").length;

  expect(taken).toBeGreaterThanOrEqual(76);
  expect(taken).toBeLessThanOrEqual(82);
  const refusals = results.filter((result) => result.status === "rejected").map(({ reason }) => reason.code);
  expect(new Set(refusals)).toEqual(new Set(["CAPACITY"]));
  const [pool] = await listNodePools(core.ctx);
  expect(pool).toMatchObject({ heldCpuMillis: taken * 250, heldMemoryBytes: taken * (gib / 2) });
  expect(await core.database.drizzle.$count(capacityHolds)).toBe(taken);
});

test("a hold is taken once and given back once, however often either is asked for", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const [instanceId = ""] = await givenInstances(ctx, 1);
  const held = async () =>
    (await core.database.drizzle.select().from(nodePools).where(eq(nodePools.name, "default")))[0]!.heldCpuMillis;
  for (let round = 0; round < 2; round += 1) {
    await ctx.transaction((tx) => holdCapacity(tx, { instanceId, pool: "default", demand }));
    expect(await held()).toBe(250);
  }
  for (let round = 0; round < 2; round += 1) {
    await ctx.transaction((tx) => releaseCapacity(tx, instanceId));
    expect(await held()).toBe(0);
  }
});

test("a machine that is cordoned, not ready or gone counts no more, and counts again when it is back", async () => {
  await using core = await testCore();
  const operator = core.ctx.as({ type: "operator", userId: core.ctx.ids.next() });
  const cores = async () => (await listNodePools(core.ctx))[0]!.allocatableCpuMillis / 1_000;
  await givenMachines(core.ctx);
  expect(await cores()).toBe(24);

  await setNodeSchedulable(operator, { name: "pc-2", schedulable: false });
  expect(await cores()).toBe(8);
  await givenMachines(core.ctx);
  expect(await cores()).toBe(8);
  await setNodeSchedulable(operator, { name: "pc-2", schedulable: true });
  expect(await cores()).toBe(24);

  await recordNodes(core.ctx, []);
  expect(await cores()).toBe(0);
  expect((await listNodes(core.ctx, {})).items.every(({ removedAt }) => removedAt !== null)).toBe(true);
  await expect(setNodeSchedulable(operator, { name: "pc-2", schedulable: false })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
  await givenMachines(core.ctx);
  expect(await cores()).toBe(24);
});

test("operators and the count of the machines do not lock each other out", async () => {
  await using core = await testCore();
  const operator = core.ctx.as({ type: "operator", userId: core.ctx.ids.next() });
  await givenMachines(core.ctx);
  const rounds = Array.from({ length: 12 }, (_, round) => round);
  await Promise.all(
    rounds.flatMap((round) => [
      givenMachines(core.ctx),
      setNodeSchedulable(operator, { name: round % 2 === 0 ? "pc-2" : "pc-3", schedulable: round % 3 === 0 }),
    ]),
  );
  for (const name of ["pc-2", "pc-3"]) await setNodeSchedulable(operator, { name, schedulable: true });
  expect((await listNodePools(core.ctx))[0]!.allocatableCpuMillis).toBe(24_000);
});

test("a cluster of one machine takes apps on its control plane, until a worker joins", async () => {
  await using core = await testCore();
  const machine = { pool: "default", ready: true, schedulable: true, conditions: [] };
  const single = {
    ...machine,
    name: "pc-1",
    role: "control-plane",
    allocatableCpuMillis: 4_000,
    allocatableMemoryBytes: 8 * gib,
  } as const;
  const worker = {
    ...machine,
    name: "pc-2",
    role: "worker",
    allocatableCpuMillis: 2_000,
    allocatableMemoryBytes: 4 * gib,
  } as const;
  const cores = async () => (await listNodePools(core.ctx))[0]!.allocatableCpuMillis / 1_000;
  await recordNodes(core.ctx, [single]);
  expect(await cores()).toBe(4);
  await recordNodes(core.ctx, [single, worker]);
  expect(await cores()).toBe(2);
});

describe("the rule", () => {
  const pool = {
    allocatableCpuMillis: 1_000,
    allocatableMemoryBytes: 10 * gib,
    largestCpuMillis: 600,
    largestMemoryBytes: 5 * gib,
    heldCpuMillis: 0,
    heldMemoryBytes: 0,
    cpuReservePercent: 10,
    memoryReservePercent: 50,
  };

  test.each([
    ["fits", pool, { cpuMillis: 600, memoryBytes: 5 * gib }, { fits: true }],
    [
      "no machine is large enough",
      pool,
      { cpuMillis: 601, memoryBytes: gib },
      { fits: false, reason: "NO_MACHINE_LARGE_ENOUGH" },
    ],
    [
      "the reserve is never promised",
      { ...pool, heldMemoryBytes: 1 },
      { cpuMillis: 1, memoryBytes: 5 * gib },
      { fits: false, reason: "POOL_FULL" },
    ],
    ["no machines", null, { cpuMillis: 1, memoryBytes: 1 }, { fits: false, reason: "NO_MACHINES" }],
  ] as const)("%s", (_name, state, wanted, verdict) => {
    expect(decideCapacity(state, wanted)).toEqual(verdict);
  });

  test("a pool that nobody has heard of has no machines", async () => {
    await using core = await testCore();
    const verdict = await core.ctx.transaction((tx) => checkCapacity(tx, "elsewhere", demand));
    expect(verdict).toEqual({ fits: false, reason: "NO_MACHINES" });
  });
});
