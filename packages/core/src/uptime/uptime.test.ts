import { events, instanceProbes, uptimeDays } from "@sewa/db/schema";
import { asc } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { addMs, dayMs, hourMs, minuteMs } from "../clock.ts";
import { getInstance, holdInstance, restartInstance, startInstance, stopInstance } from "../instances/index.ts";
import { listJobs } from "../jobs/index.ts";
import { observations, provisionOnce } from "../testing/fake-world.ts";
import { givenRunningApp, type RunningApp } from "../testing/given-app.ts";
import { givenCatalog, givenMachines } from "../testing/given.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import {
  countInstancesDown,
  deleteOldUptime,
  getInstanceUptime,
  listProbeTargets,
  recordProbes,
  reportOutages,
} from "./index.ts";

async function given(options: { readonly testClock?: boolean } = {}) {
  const core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  return { core, app: await givenRunningApp(core.ctx, options) };
}

/** A round of probes at `at`, as the job makes it: all that should answer are asked, and only `answering` do. */
async function probe(core: TestCore, at: Date, answering: readonly RunningApp[]): Promise<void> {
  const ids = new Set(answering.map(({ instanceId }) => instanceId));
  const targets = await listProbeTargets(core.ctx);
  const answers = targets.map(({ instanceId, generation }) => ({
    instanceId,
    generation,
    isAnswering: ids.has(instanceId),
  }));
  await recordProbes(core.ctx, { at, answers });
  await reportOutages(core.ctx);
}

async function probeEachMinute(core: TestCore, from: Date, minutes: number, answering: readonly RunningApp[]) {
  for (let minute = 0; minute < minutes; minute += 1) await probe(core, addMs(from, minute * minuteMs), answering);
  return addMs(from, minutes * minuteMs);
}

const outagesOf = async ({ database }: TestCore) =>
  (await database.drizzle.select().from(events).orderBy(asc(events.recordedAt)))
    .filter(({ type }) => type === "instance.wentDown" || type === "instance.cameBack")
    .map(({ type, data }) => ({ type, ...data }));
const daysOf = async ({ database }: TestCore) =>
  (await database.drizzle.select().from(uptimeDays).orderBy(asc(uptimeDays.instanceId), asc(uptimeDays.day))).map(
    ({ day, upSeconds, downSeconds }) => [day, upSeconds, downSeconds],
  );
/** Prompts that wait, after those that the set-up has left. */
async function forgetJobs({ database }: TestCore): Promise<void> {
  await database.drizzle.execute("delete from graphile_worker._private_jobs");
}
const promptsOf = async ({ ctx }: TestCore) => (await listJobs(ctx, {})).items.map(({ key }) => key);

describe("who is asked", () => {
  test("an app that runs, at the addresses of its blueprint's health checks; none that is stopped, changed or not ready", async () => {
    const { core, app } = await given();
    await using _ = core;
    const { instance, url } = await getInstance(app.ctx, app.instanceId);
    expect(await listProbeTargets(core.ctx)).toEqual([
      { instanceId: app.instanceId, generation: instance.generation, urls: [`${url}/api/entry-page`] },
    ]);

    await restartInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "restart-1" });
    expect(await listProbeTargets(core.ctx)).toEqual([]);
    await provisionOnce(core.ctx, app.instanceId);
    expect(await listProbeTargets(core.ctx)).toHaveLength(1);
    // Not as it should be is all the more a reason to ask.
    await provisionOnce(core.ctx, app.instanceId, { ...observations.running, phase: "degraded" });
    expect(await listProbeTargets(core.ctx)).toHaveLength(1);

    await stopInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "stop-0001" });
    await provisionOnce(core.ctx, app.instanceId);
    expect(await listProbeTargets(core.ctx)).toEqual([]);
  });

  test("nobody whose app is held or whose subscription has ended", async () => {
    const { core, app } = await given();
    await using _ = core;
    await holdInstance(core.ctx.forOrganization(app.ctx.organizationId!), {
      instanceId: app.instanceId,
      idempotencyKey: "hold-it-now",
      kind: "operator",
      reason: "looks odd",
    });
    await provisionOnce(core.ctx, app.instanceId);
    expect(await listProbeTargets(core.ctx)).toEqual([]);
  });
});

describe("the time that counts", () => {
  test("a probe is a minute up or down, a replay and a second one in its minute count nothing, and a gap counts nothing", async () => {
    const { core, app } = await given();
    await using _ = core;
    const start = core.clock.now();
    await probeEachMinute(core, start, 3, [app]);
    await probe(core, addMs(start, 3 * minuteMs), []);
    for (let replay = 0; replay < 3; replay += 1) await probeEachMinute(core, start, 4, []);
    await probe(core, addMs(start, 3 * minuteMs + 20_000), [app]);
    await probe(core, addMs(start, 30 * minuteMs), [app]);
    expect(await daysOf(core)).toEqual([["2026-03-02", 240, 60]]);
  });

  test("two workers in one minute count it once", async () => {
    const { core } = await given();
    await using _ = core;
    const targets = await listProbeTargets(core.ctx);
    const at = core.clock.now();
    const round = (delayMs: number) =>
      recordProbes(core.ctx, {
        at: addMs(at, delayMs),
        answers: targets.map(({ instanceId, generation }) => ({ instanceId, generation, isAnswering: false })),
      });
    await Promise.all([round(0), round(0), round(1), round(2)]);
    expect(await daysOf(core)).toEqual([["2026-03-02", 0, 60]]);
  });

  test("what was changed while it was asked is neither up nor down", async () => {
    const { core, app } = await given();
    await using _ = core;
    const [target] = await listProbeTargets(core.ctx);
    await stopInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "stop-0001" });
    await provisionOnce(core.ctx, app.instanceId);
    await startInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "start-001" });
    await provisionOnce(core.ctx, app.instanceId);
    const { instanceId, generation } = target!;
    await recordProbes(core.ctx, { at: core.clock.now(), answers: [{ instanceId, generation, isAnswering: false }] });
    expect(await daysOf(core)).toEqual([]);
    expect(await core.database.drizzle.$count(instanceProbes)).toBe(0);
  });

  test("a day begins at midnight of the organization, and has 23 or 25 hours when clocks are changed", async () => {
    const { core, app } = await given();
    await using _ = core;
    await core.database.drizzle.execute("update organizations set time_zone = 'Europe/Berlin'");
    // 29 March 2026 has 23 hours in Berlin, from 23:00Z to 22:00Z; 25 October has 25.
    await probe(core, new Date("2026-03-28T22:59:59Z"), [app]);
    await probe(core, new Date("2026-03-28T23:00:00Z"), [app]);
    await probe(core, new Date("2026-03-29T21:59:59Z"), []);
    await probe(core, new Date("2026-03-29T22:00:00Z"), [app]);
    expect(await daysOf(core)).toEqual([
      ["2026-03-28", 60, 0],
      ["2026-03-29", 60, 60],
      ["2026-03-30", 60, 0],
    ]);
    const unknownOn = async (now: string, days: number) => {
      core.clock.set(new Date(now));
      const { days: all } = await getInstanceUptime(app.ctx, { instanceId: app.instanceId, days });
      return all.map(({ day, unknownSeconds }) => [day, unknownSeconds]);
    };
    expect(await unknownOn("2026-03-30T10:00:00Z", 3)).toEqual([
      ["2026-03-28", 24 * 3_600 - 60],
      ["2026-03-29", 23 * 3_600 - 120],
      ["2026-03-30", 12 * 3_600 - 60],
    ]);
    expect(await unknownOn("2026-10-25T23:30:00Z", 2)).toEqual([
      ["2026-10-25", 25 * 3_600],
      ["2026-10-26", 1_800],
    ]);
  });

  test("is told day by day with the share that it answered, against the target", async () => {
    const { core, app } = await given();
    await using _ = core;
    const uptime = (days = 30) => getInstanceUptime(app.ctx, { instanceId: app.instanceId, days });
    expect(await uptime()).toMatchObject({ ratio: null, targetRatio: 0.995, isWithinTarget: null });

    // 199 of 200 minutes are exactly the target.
    const next = await probeEachMinute(core, core.clock.now(), 199, [app]);
    await probe(core, next, []);
    core.clock.set(addMs(next, minuteMs));
    const exact = await uptime();
    expect(exact).toMatchObject({ timeZone: "Asia/Jakarta", ratio: 0.995, isWithinTarget: true });
    expect(exact.days).toHaveLength(30);
    expect(exact.days.at(-1)).toEqual({
      day: "2026-03-02",
      upSeconds: 199 * 60,
      downSeconds: 60,
      unknownSeconds: 10 * 3_600,
      ratio: 0.995,
    });
    expect(exact.days[0]).toMatchObject({ day: "2026-02-01", upSeconds: 0, downSeconds: 0, ratio: null });
    await probe(core, addMs(next, minuteMs), []);
    expect(await uptime(1)).toMatchObject({ isWithinTarget: false, days: [{ downSeconds: 120 }] });

    const { ctx: stranger } = await givenRunningApp(core.ctx);
    const foreign = getInstanceUptime(stranger, { instanceId: app.instanceId, days: 1 });
    await expect(foreign).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such instance." });
  });

  test("is kept for four hundred days", async () => {
    const { core, app } = await given();
    await using _ = core;
    await probe(core, core.clock.now(), [app]);
    core.clock.set(addMs(core.clock.now(), 400 * dayMs));
    expect(await deleteOldUptime(core.ctx)).toBe(0);
    core.clock.set(addMs(core.clock.now(), dayMs));
    expect(await deleteOldUptime(core.ctx)).toBe(1);
  });
});

describe("who looks", () => {
  test("an app that stops answering, or answers again, is reconciled; one that goes on as it was is not", async () => {
    const { core, app } = await given();
    await using _ = core;
    const key = `instance:reconcile:${app.instanceId}`;
    const after = async (minute: number, answering: readonly RunningApp[]) => {
      await forgetJobs(core);
      await probe(core, addMs(core.clock.now(), minute * minuteMs), answering);
      return promptsOf(core);
    };
    expect(await after(0, [app])).toEqual([]);
    expect(await after(1, [])).toEqual([key]);
    // The prompt was lost, or the reconcile found it well: as long as it is taken for running, somebody looks.
    expect(await after(2, [])).toEqual([key]);
    await provisionOnce(core.ctx, app.instanceId, {
      ...observations.running,
      phase: "degraded",
      reason: "HEALTH_CHECK_FAILED",
    });
    expect(await after(3, [])).toEqual([]);
    expect(await after(4, [app])).toEqual([key]);
    expect(await after(5, [app])).toEqual([]);
  });

  test("a probe writes nothing of what is observed", async () => {
    const { core, app } = await given();
    await using _ = core;
    const before = await getInstance(app.ctx, app.instanceId);
    await probeEachMinute(core, core.clock.now(), 8, []);
    expect(await getInstance(app.ctx, app.instanceId)).toEqual(before);
  });
});

describe("going down and coming back", () => {
  test("is told after five minutes and with the first answer, each once", async () => {
    const { core, app } = await given();
    await using _ = core;
    const start = core.clock.now();
    await probe(core, start, [app]);
    const failingSince = addMs(start, minuteMs);
    await probeEachMinute(core, failingSince, 5, []);
    expect(await outagesOf(core)).toEqual([]);
    expect(await countInstancesDown(core.ctx)).toBe(0);
    const next = await probeEachMinute(core, addMs(failingSince, 5 * minuteMs), 10, []);
    const wentDown = {
      type: "instance.wentDown",
      since: failingSince.toISOString(),
      probedAt: addMs(failingSince, 5 * minuteMs).toISOString(),
    };
    expect(await outagesOf(core)).toEqual([wentDown]);
    expect(await countInstancesDown(core.ctx)).toBe(1);

    await probeEachMinute(core, next, 3, [app]);
    const cameBack = {
      type: "instance.cameBack",
      since: failingSince.toISOString(),
      probedAt: next.toISOString(),
    };
    expect(await outagesOf(core)).toEqual([wentDown, cameBack]);
    expect(await countInstancesDown(core.ctx)).toBe(0);
    const [event] = (await core.database.drizzle.select().from(events)).filter(
      ({ type }) => type === "instance.cameBack",
    );
    expect(event).toMatchObject({
      organizationId: app.ctx.organizationId,
      instanceId: app.instanceId,
      subscriptionId: app.subscriptionId,
    });
  });

  test("is told once by several workers, and by the next run after a crash", async () => {
    const { core } = await given();
    await using _ = core;
    await givenRunningApp(core.ctx);
    await givenRunningApp(core.ctx);
    const start = core.clock.now();
    const round = async (minute: number) => {
      const targets = await listProbeTargets(core.ctx);
      const answers = targets.map(({ instanceId, generation }) => ({ instanceId, generation, isAnswering: false }));
      await recordProbes(core.ctx, { at: addMs(start, minute * minuteMs), answers });
    };
    // Each round ends before its report, as if its worker had been killed there.
    for (let minute = 0; minute <= 6; minute += 1) await round(minute);
    const told = await Promise.all(Array.from({ length: 8 }, () => reportOutages(core.ctx)));
    expect(told.reduce((sum, { wentDown }) => sum + wentDown, 0)).toBe(3);
    expect(await outagesOf(core)).toHaveLength(3);
  });

  test("time in which the customer had it stopped or restarted is no down time", async () => {
    const { core, app } = await given();
    await using _ = core;
    const { instanceId } = app;
    let now = await probeEachMinute(core, core.clock.now(), 4, []);
    await restartInstance(app.ctx, { instanceId, idempotencyKey: "restart-1" });
    now = await probeEachMinute(core, now, 2, []);
    await provisionOnce(core.ctx, instanceId);
    now = await probeEachMinute(core, now, 4, []);
    expect(await outagesOf(core)).toEqual([]);
    expect(await daysOf(core)).toEqual([["2026-03-02", 0, 8 * 60]]);

    await stopInstance(app.ctx, { instanceId, idempotencyKey: "stop-0001" });
    await provisionOnce(core.ctx, instanceId);
    now = await probeEachMinute(core, now, 60, []);
    expect(await outagesOf(core)).toEqual([]);
    expect(await daysOf(core)).toEqual([["2026-03-02", 0, 8 * 60]]);
  });

  test("an app that was stopped after its last probe, before anybody was told, is not reported", async () => {
    const { core, app } = await given();
    await using _ = core;
    const start = core.clock.now();
    for (let minute = 0; minute <= 5; minute += 1) {
      const targets = await listProbeTargets(core.ctx);
      const answers = targets.map(({ instanceId, generation }) => ({ instanceId, generation, isAnswering: false }));
      await recordProbes(core.ctx, { at: addMs(start, minute * minuteMs), answers });
    }
    const none = { wentDown: 0, cameBack: 0 };
    await stopInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "stop-0001" });
    expect(await reportOutages(core.ctx)).toEqual(none);
    await provisionOnce(core.ctx, app.instanceId);
    await startInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "start-001" });
    await provisionOnce(core.ctx, app.instanceId);
    expect(await reportOutages(core.ctx)).toEqual(none);
  });

  test("while nobody probes, nobody goes down", async () => {
    const { core } = await given();
    await using _ = core;
    const start = core.clock.now();
    await probe(core, start, []);
    await probe(core, addMs(start, hourMs), []);
    expect(await outagesOf(core)).toEqual([]);
  });

  test("many organizations are told of their own apps", async () => {
    const { core, app } = await given();
    await using _ = core;
    const others = [await givenRunningApp(core.ctx), await givenRunningApp(core.ctx)];
    const next = await probeEachMinute(core, core.clock.now(), 6, [app]);
    expect(await countInstancesDown(core.ctx)).toBe(2);
    const told = (await core.database.drizzle.select().from(events)).filter(({ type }) => type === "instance.wentDown");
    expect(new Map(told.map((event) => [event.organizationId, event.instanceId]))).toEqual(
      new Map(others.map(({ ctx, instanceId }) => [ctx.organizationId, instanceId])),
    );
    await probe(core, next, [app, ...others]);
    expect(await countInstancesDown(core.ctx)).toBe(0);
    expect(core.observed.filter((type) => type === "instance.cameBack")).toHaveLength(2);
  });
});
