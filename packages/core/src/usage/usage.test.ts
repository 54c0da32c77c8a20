import { usageHours, usageSamples } from "@sewa/db/schema";
import { asc } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { givenRunningApp } from "../testing/given-app.ts";
import { givenCatalog, givenMachines } from "../testing/given.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import { deleteOldUsage, getInstanceMetrics, type MeasuredUsage, rateUsage, recordUsage } from "./index.ts";

const mebibyte = 1024 ** 2;

async function given() {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  return { core, ...(await givenRunningApp(core.ctx)) };
}

function measured(
  instanceId: string,
  measuredAt: Date | null,
  amounts: { readonly cpuMillis?: number; readonly memoryBytes?: number; readonly storageBytes?: number } = {},
): MeasuredUsage {
  const { cpuMillis = 100, memoryBytes = 200 * mebibyte, storageBytes = 1024 * mebibyte } = amounts;
  const workloads = measuredAt === null ? [] : [{ workload: "app", cpuMillis, memoryBytes }];
  return { instanceId, measuredAt, workloads, storageBytes };
}

/** One measurement in each of the `minutes` before now, the newest last. */
function steadily(core: TestCore, instanceId: string, minutes: number): readonly MeasuredUsage[] {
  const now = core.clock.now();
  return Array.from({ length: minutes }, (_, index) =>
    measured(instanceId, addMs(now, (index - minutes) * minuteMs + 50_000)),
  );
}

const samplesOf = ({ database }: TestCore) =>
  database.drizzle.select().from(usageSamples).orderBy(asc(usageSamples.instanceId), asc(usageSamples.endedAt));
const hoursOf = ({ database }: TestCore) =>
  database.drizzle.select().from(usageHours).orderBy(asc(usageHours.instanceId), asc(usageHours.hourAt));

describe("a sample", () => {
  test("is the sum of the parts over the minute in which the measurement ended, and belongs to the app's organization", async () => {
    const { core, ctx, instanceId } = await given();
    await using _ = core;
    const measuredAt = new Date("2026-03-02T02:59:47Z");
    const workloads = [
      { workload: "app", cpuMillis: 100.4, memoryBytes: 3 * mebibyte },
      { workload: "db", cpuMillis: 50.4, memoryBytes: 4 * mebibyte },
    ];

    expect(await recordUsage(core.ctx, [{ instanceId, measuredAt, workloads, storageBytes: 5 }])).toBe(1);

    expect(await samplesOf(core)).toEqual([
      {
        organizationId: ctx.organizationId,
        instanceId,
        startedAt: new Date("2026-03-02T02:59:00Z"),
        endedAt: new Date("2026-03-02T03:00:00Z"),
        cpuMillis: 151,
        memoryBytes: 7 * mebibyte,
        storageBytes: 5,
      },
    ]);
  });

  test("B97 is written once, however often and by however many it is collected", async () => {
    const { core, instanceId } = await given();
    await using _ = core;
    const batch = steadily(core, instanceId, 5);
    const collect = () => recordUsage(core.ctx, batch);

    const counts = await Promise.all([collect(), collect(), collect()]);
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 5]);
    // The next round of a metrics-server, still in the same minute.
    expect(await recordUsage(core.ctx, [measured(instanceId, core.clock.now(), { cpuMillis: 1 })])).toBe(1);
    expect(
      await recordUsage(core.ctx, [measured(instanceId, addMs(core.clock.now(), 15_000), { cpuMillis: 999 })]),
    ).toBe(0);

    const samples = await samplesOf(core);
    expect(samples.map(({ cpuMillis }) => cpuMillis)).toEqual([100, 100, 100, 100, 100, 1]);
    expect(samples.slice(1).map(({ startedAt }) => startedAt)).toEqual(
      samples.slice(0, -1).map(({ endedAt }) => endedAt),
    );
  });

  test("of a stopped app is its storage, and is filled in when its pods turn out to have run", async () => {
    const { core, instanceId } = await given();
    await using _ = core;
    expect(await recordUsage(core.ctx, [measured(instanceId, null)])).toBe(1);
    expect(await samplesOf(core)).toMatchObject([
      { cpuMillis: null, memoryBytes: null, storageBytes: 1024 * mebibyte },
    ]);
    expect(await hoursOf(core)).toMatchObject([
      { coveredSeconds: 0, cpuMaxMillis: null, storageCoveredSeconds: 60, storageByteSeconds: 60n * 2n ** 30n },
    ]);

    expect(await recordUsage(core.ctx, [measured(instanceId, core.clock.now())])).toBe(1);
    expect(await recordUsage(core.ctx, [measured(instanceId, null)])).toBe(0);
    expect(await samplesOf(core)).toMatchObject([{ cpuMillis: 100 }]);
    expect(await hoursOf(core)).toMatchObject([{ coveredSeconds: 60, storageCoveredSeconds: 60 }]);
  });

  test("B97 of nobody's app, from another time or without sense is left out, and keeps no other out", async () => {
    const { core, instanceId } = await given();
    await using _ = core;
    const now = core.clock.now();
    const written = await recordUsage(core.ctx, [
      measured(core.ctx.ids.next(), now),
      measured("'; drop table usage_samples; --", now),
      measured(instanceId, addMs(now, 6 * minuteMs)),
      measured(instanceId, addMs(now, -25 * hourMs)),
      measured(instanceId, new Date(Number.NaN)),
      measured(instanceId, now, { cpuMillis: Number.POSITIVE_INFINITY }),
      measured(instanceId, now, { memoryBytes: -1 }),
      measured(instanceId, addMs(now, -minuteMs)),
    ]);
    expect(written).toBe(1);
    expect(await samplesOf(core)).toMatchObject([{ instanceId, endedAt: now }]);
  });

  test("B97 cannot overlap another, whoever writes it", async () => {
    const { core, ctx, instanceId } = await given();
    await using _ = core;
    const row = { organizationId: ctx.organizationId!, instanceId, storageBytes: 0 };
    const write = (startedAt: string, endedAt: string) =>
      core.database.drizzle
        .insert(usageSamples)
        .values({ ...row, startedAt: new Date(startedAt), endedAt: new Date(endedAt) });
    const refused = { cause: { constraint_name: "usage_samples_minute" } };
    await expect(write("2026-03-02T02:00:30Z", "2026-03-02T02:01:30Z")).rejects.toMatchObject(refused);
    await expect(write("2026-03-02T02:00:00Z", "2026-03-02T02:02:00Z")).rejects.toMatchObject(refused);
    await write("2026-03-02T02:00:00Z", "2026-03-02T02:01:00Z");
    await expect(write("2026-03-02T02:00:00Z", "2026-03-02T02:01:00Z")).rejects.toMatchObject({
      cause: { constraint_name: "usage_samples_instance_id_ended_at_pk" },
    });
  });
});

describe("the hours", () => {
  test("are the sums of their samples; what was not measured covers no second", async () => {
    const { core, instanceId } = await given();
    await using _ = core;
    const hour = new Date("2026-03-02T01:00:00Z");
    const at = (minute: number, cpuMillis: number) =>
      measured(instanceId, addMs(hour, minute * minuteMs), { cpuMillis });
    await recordUsage(core.ctx, [at(0, 100), at(1, 300), at(59, 200), at(60, 1_000)]);
    expect(await hoursOf(core)).toMatchObject([
      { hourAt: hour, coveredSeconds: 180, cpuMilliSeconds: 36_000, cpuMaxMillis: 300 },
      { hourAt: addMs(hour, hourMs), coveredSeconds: 60, cpuMilliSeconds: 60_000, cpuMaxMillis: 1_000 },
    ]);
    // One that comes late opens its hour again.
    await recordUsage(core.ctx, [at(30, 500)]);
    expect((await hoursOf(core))[0]).toMatchObject({
      coveredSeconds: 240,
      cpuMilliSeconds: 66_000,
      cpuMaxMillis: 500,
      memoryByteSeconds: BigInt(240 * 200 * mebibyte),
      memoryMaxBytes: 200 * mebibyte,
    });
  });

  test("stay right while several collectors write different minutes of one hour", async () => {
    const { core, instanceId } = await given();
    await using _ = core;
    // Two for each hour, so that nobody comes later and sums up what the others have missed.
    const pairs = Array.from({ length: 23 }, (_, hour) => [10, 20].map((minute) => hour * 60 + minute)).flat();
    await Promise.all(
      pairs.map((minute) => recordUsage(core.ctx, [measured(instanceId, addMs(core.clock.now(), -minute * minuteMs))])),
    );
    const hours = await hoursOf(core);
    expect(hours.map(({ coveredSeconds, cpuMilliSeconds }) => [coveredSeconds, cpuMilliSeconds])).toEqual(
      Array.from({ length: 23 }, () => [120, 12_000]),
    );
  });

  const runs = 500 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
  /** So many apps, each with a story of its own, are measured together. */
  const together = 25;

  test(`F11 come to equal totals from samples with gaps, resets, repeats and late ones, in whatever order and batches (${runs} runs)`, async () => {
    const core = await testCore({ maxInstancesPerOrganization: together });
    await using _ = core;
    await givenCatalog(core.ctx);
    await givenMachines(core.ctx);
    const apps: string[] = [];
    for (let count = 0; count < together; count += 1) apps.push((await givenRunningApp(core.ctx)).instanceId);
    const limitMillis = 1_000;
    const minute = fc.record({
      index: fc.integer({ min: 0, max: 150 }),
      // Also nothing: an app that was started anew.
      cpuMillis: fc.oneof({ weight: 4, arbitrary: fc.nat(limitMillis) }, { weight: 1, arbitrary: fc.constant(0) }),
    });
    // One minute has one measurement, whoever tells it and how often.
    const minutes = fc.uniqueArray(minute, { selector: ({ index }) => index, maxLength: 60 });
    const story = minutes.chain((known) =>
      fc.record({
        known: fc.constant(known),
        told: fc
          .tuple(fc.shuffledSubarray(known, { minLength: known.length }), fc.shuffledSubarray(known))
          .map(([all, repeated]) => [...repeated, ...all]),
        batch: fc.integer({ min: 1, max: 40 }),
      }),
    );
    const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
    const stories = fc.array(story, { minLength: together, maxLength: together });
    const property = fc.asyncProperty(stories, async (all) => {
      // Nothing of the run before lies in these hours.
      core.clock.set(addMs(core.clock.now(), 4 * hourMs));
      const now = core.clock.now();
      const samplesOfEach = all.map(({ told, batch }, app) => ({
        batch,
        samples: told.map(({ index, cpuMillis }) =>
          measured(apps[app]!, addMs(now, -index * minuteMs), { cpuMillis, memoryBytes: cpuMillis, storageBytes: 1 }),
        ),
      }));
      const batches = Array.from(
        { length: Math.max(...all.map(({ told, batch }) => Math.ceil(told.length / batch))) },
        (__, at) => samplesOfEach.flatMap(({ samples, batch }) => samples.slice(at * batch, (at + 1) * batch)),
      );
      for (const batch of batches) await recordUsage(core.ctx, batch);
      const since = addMs(now, -3 * hourMs);
      const read = async () => (await hoursOf(core)).filter(({ hourAt }) => hourAt >= since);
      const hours = await read();
      for (const [app, { known }] of all.entries()) {
        const own = hours.filter(({ instanceId }) => instanceId === apps[app]);
        const total = 60 * sum(known.map(({ cpuMillis }) => cpuMillis));
        const covered = sum(own.map(({ coveredSeconds }) => coveredSeconds));
        expect(covered).toBe(60 * known.length);
        expect(sum(own.map(({ cpuMilliSeconds }) => cpuMilliSeconds))).toBe(total);
        expect(sum(own.map(({ memoryByteSeconds }) => Number(memoryByteSeconds)))).toBe(total);
        expect(sum(own.map(({ storageByteSeconds }) => Number(storageByteSeconds)))).toBe(covered);
        expect(total).toBeLessThanOrEqual(limitMillis * covered);
      }
      // All of it once more, by two collectors at once, changes nothing.
      const everything = batches.flat();
      expect(await Promise.all([recordUsage(core.ctx, everything), recordUsage(core.ctx, everything)])).toEqual([0, 0]);
      expect(await read()).toEqual(hours);
    });
    await fc.assert(property, { numRuns: runs / together });
  }, 300_000);
});

describe("what a chart gets", () => {
  test("24 hours are 288 points of five minutes; a gap is a gap, and the plan's limits are the ceiling", async () => {
    const { core, ctx, instanceId } = await given();
    await using _ = core;
    const at = (minute: number, cpuMillis: number) =>
      measured(instanceId, addMs(core.clock.now(), minute * minuteMs), { cpuMillis, memoryBytes: cpuMillis * 10 });
    await recordUsage(core.ctx, [at(-20, 100), at(-19, 400), at(-9, 50), at(0, 7)]);

    const metrics = await getInstanceMetrics(ctx, { instanceId, range: "24h" });
    expect(metrics).toMatchObject({
      stepSeconds: 300,
      from: new Date("2026-03-01T03:05:00Z"),
      to: new Date("2026-03-02T03:05:00Z"),
      limits: { cpuMillis: 500, memoryBytes: 512 * mebibyte, storageBytes: 1024 * mebibyte },
    });
    expect(metrics.points).toHaveLength(288);
    expect(metrics.points[0]).toEqual({ start: metrics.from, cpu: null, memory: null, storageBytes: null });
    expect(metrics.points.slice(-5).map(({ cpu }) => cpu)).toEqual([
      { averageMillis: 250, maxMillis: 400 },
      null,
      { averageMillis: 50, maxMillis: 50 },
      null,
      { averageMillis: 7, maxMillis: 7 },
    ]);
    expect(metrics.points.at(-5)).toEqual({
      start: new Date("2026-03-02T02:40:00Z"),
      cpu: { averageMillis: 250, maxMillis: 400 },
      memory: { averageBytes: 2_500, maxBytes: 4_000 },
      storageBytes: 1024 * mebibyte,
    });
    expect(metrics.points.filter(({ cpu, storageBytes }) => cpu !== null || storageBytes !== null)).toHaveLength(3);
  });

  test("7 days are 168 hours and 30 days 180 steps of four, weighed by what was measured of each hour", async () => {
    const { core, ctx, instanceId } = await given();
    await using _ = core;
    const at = (time: string, cpuMillis: number) => measured(instanceId, new Date(time), { cpuMillis });
    await recordUsage(core.ctx, [
      at("2026-03-02T00:00:00Z", 900),
      at("2026-03-02T01:00:00Z", 100),
      at("2026-03-02T01:01:00Z", 200),
      at("2026-03-02T01:02:00Z", 300),
    ]);
    // Long ago: only what was summed up is left.
    core.clock.set(new Date("2026-03-06T03:00:00Z"));
    expect(await deleteOldUsage(core.ctx)).toMatchObject({ samples: 4, hours: 0 });

    const week = await getInstanceMetrics(ctx, { instanceId, range: "7d" });
    expect(week.points).toHaveLength(168);
    expect(week.points.filter(({ cpu }) => cpu !== null)).toMatchObject([
      { start: new Date("2026-03-02T00:00:00Z"), cpu: { averageMillis: 900, maxMillis: 900 } },
      { start: new Date("2026-03-02T01:00:00Z"), cpu: { averageMillis: 200, maxMillis: 300 } },
    ]);
    const month = await getInstanceMetrics(ctx, { instanceId, range: "30d" });
    expect(month).toMatchObject({ stepSeconds: 14_400, to: new Date("2026-03-06T04:00:00Z") });
    expect(month.points).toHaveLength(180);
    expect(month.points.filter(({ cpu }) => cpu !== null)).toMatchObject([
      { start: new Date("2026-03-02T00:00:00Z"), cpu: { averageMillis: 375, maxMillis: 900 } },
    ]);
  });

  test("of another organization's app there is nothing, in the same words as of one that never was", async () => {
    const { core, instanceId } = await given();
    await using _ = core;
    const { ctx: stranger } = await givenRunningApp(core.ctx);
    const foreign = getInstanceMetrics(stranger, { instanceId, range: "24h" });
    await expect(foreign).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such instance." });
    const invented = getInstanceMetrics(stranger, { instanceId: core.ctx.ids.next(), range: "24h" });
    await expect(invented).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such instance." });
  });

  test("is real time, also where the organization lives on a test clock", async () => {
    const core = await testCore();
    await using _ = core;
    await givenCatalog(core.ctx);
    await givenMachines(core.ctx);
    const { ctx, instanceId } = await givenRunningApp(core.ctx, { testClock: true });
    await core.database.drizzle.execute(
      "update test_clocks set now_at = now_at + interval '90 days', target_at = target_at + interval '90 days'",
    );
    await recordUsage(core.ctx, [measured(instanceId, core.clock.now())]);
    const { to, points } = await getInstanceMetrics(ctx, { instanceId, range: "24h" });
    expect(to).toEqual(new Date("2026-03-02T03:05:00Z"));
    expect(points.at(-1)?.cpu).toEqual({ averageMillis: 100, maxMillis: 100 });
  });
});

test("minutes are kept for two days and hours for a hundred", async () => {
  const { core, instanceId } = await given();
  await using _ = core;
  const start = core.clock.now();
  await recordUsage(core.ctx, [measured(instanceId, start)]);
  const leftAfter = async (ms: number) => {
    core.clock.set(addMs(start, ms));
    await rateUsage(core.ctx);
    await deleteOldUsage(core.ctx);
    return [(await samplesOf(core)).length, (await hoursOf(core)).length];
  };
  expect(await leftAfter(2 * dayMs)).toEqual([1, 1]);
  expect(await leftAfter(2 * dayMs + 2 * minuteMs)).toEqual([0, 1]);
  expect(await leftAfter(100 * dayMs)).toEqual([0, 1]);
  expect(await leftAfter(100 * dayMs + minuteMs)).toEqual([0, 0]);
});

test("the server may read what was measured and change nothing of it", async () => {
  const { core, ctx, instanceId } = await given();
  await using _ = core;
  await recordUsage(core.ctx, [measured(instanceId, core.clock.now())]);
  expect(await ctx.transaction((tx) => tx.sql.$count(usageSamples))).toBe(1);
  for (const statement of ["delete from usage_samples", "update usage_hours set covered_seconds = 0"])
    await expect(ctx.db.drizzle.execute(statement)).rejects.toMatchObject({ cause: { code: "42501" } });
});
