import { instanceChanges, nodes, operations, plans as planTable, subscriptions } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { listEvents } from "../events/index.ts";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import {
  failOverdueOperations,
  holdInstance,
  liftHold,
  restartInstance,
  revealCredentials,
  startInstance,
  stopInstance,
} from "../instances/index.ts";
import { cancelAtPeriodEnd, cancelNow, reconcileSubscription } from "../subscriptions/index.ts";
import { givenCustomer } from "../testing/given.ts";
import {
  deleteOldPlans,
  executePlan,
  getChange,
  listChanges,
  planChange,
  reconcileChange,
  sweepChanges,
} from "./index.ts";
import { applyPlans, givenApp, type TestApp, usualPreview } from "./test-changes.ts";

const runningApp = async (plan?: string): Promise<TestApp> => {
  const app = await givenApp(plan);
  await app.provision();
  return app;
};

/** What the database itself says, whoever writes. */
const refusal = (words: string) => ({ cause: { message: expect.stringContaining(words) as string } });

describe("a resize", () => {
  test("is planned, approved and carried out: shape, terms and room follow, and its owner can tell the story", async () => {
    await using app = await runningApp();
    const before = await app.instance();

    const plan = await app.resize("roomy");

    expect(plan.change).toMatchObject({ status: "planned", dueMinor: 0n });
    expect(plan.effects).toMatchObject({
      objects: usualPreview.objects,
      dataLost: [],
      warnings: ["RESTARTS"],
      room: { cpuMillis: 100, memoryBytes: 256 * 2 ** 20, storageBytes: 2 ** 30 },
      capacity: { fits: true },
    });
    expect(await app.instance()).toEqual(before);
    expect(await app.held()).toEqual([100, 256]);

    expect((await app.approve(plan)).change.status).toBe("approved");
    expect(await app.held()).toEqual([200, 512]);
    expect(await app.instance()).toEqual(before);

    expect((await app.look(plan.change.id)).change.status).toBe("executing");
    const roomy = await app.plan("roomy");
    expect(await app.instance()).toMatchObject({
      planId: roomy.id,
      limits: roomy.limits,
      generation: before.generation + 1,
      desiredPhase: "running",
    });
    expect(await app.subscription()).toMatchObject({ planId: roomy.id, priceId: roomy.price?.id, amountMinor: 0n });

    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect((await app.change(plan.change.id)).change).toMatchObject({ status: "executed", reason: null });
    expect(await app.pool()).toEqual([200, 512]);
    const { items } = await listEvents(app.ctx, {});
    const types = items.map(({ type }) => type).toReversed();
    expect(types.filter((type) => type.startsWith("change."))).toEqual([
      "change.planned",
      "change.approved",
      "change.started",
      "change.executed",
    ]);
    expect(types).toContain("subscription.planChanged");
    // Another plan of the same price asks for no money.
    expect(await app.invoices()).toEqual(["order paid 0"]);
  });

  test("to a smaller plan keeps the volume and gives room back only when the new pods run", async () => {
    await using app = await runningApp("roomy");
    const plan = await app.resize("free");
    expect(plan.effects?.warnings).toContain("VOLUME_CANNOT_SHRINK");
    expect(plan.after?.limits.storageBytes).toBe(2 * 2 ** 30);

    await app.approve(plan);
    await app.look(plan.change.id);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.held()).toEqual([200, 512]);

    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.held()).toEqual([100, 256]);
    expect(await app.pool()).toEqual([100, 256]);
    expect((await app.instance()).limits).toMatchObject({ cpuRequestMillis: 100, storageBytes: 2 * 2 ** 30 });
  });

  test("where storage cannot grow keeps the volume as it is, and says so before it is approved", async () => {
    await using app = await runningApp();
    const refusals = [{ kind: "PersistentVolumeClaim", name: "data", reason: "VOLUME_CANNOT_GROW" as const }];
    const plan = await app.resize("roomy", { ...usualPreview, refusals });
    expect(plan.change.status).toBe("planned");
    expect(plan.effects?.warnings).toContain("VOLUME_CANNOT_GROW");
    expect(plan.after?.limits).toMatchObject({ cpuRequestMillis: 200, storageBytes: 2 ** 30 });
    await app.approve(plan);
    await app.look(plan.change.id);
    expect((await app.instance()).limits.storageBytes).toBe(2 ** 30);
  });

  test("that the cluster would not accept is refused in the plan, not on the way", async () => {
    await using app = await runningApp();
    const refusals = [{ kind: "Deployment", name: "app", reason: "OBJECT_REFUSED" as const }];
    const plan = await app.resize("roomy", { ...usualPreview, refusals });
    expect(plan.change).toMatchObject({ status: "refused", reason: "OBJECT_REFUSED" });
    expect(plan.message).toContain("would not accept");
    await expect(app.approve(plan)).rejects.toMatchObject({ code: "PLAN_STALE" });
  });

  test("of a stopped app leaves it stopped", async () => {
    await using app = await runningApp();
    await stopInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "stop-0001" });
    await app.provision();
    const plan = await app.resize("roomy");
    expect(plan.effects?.warnings).toEqual([]);
    await app.approve(plan);
    await app.look(plan.change.id);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.instance()).toMatchObject({ desiredPhase: "stopped", observedPhase: "stopped", isSettled: true });
    expect(await app.changes()).toEqual(["resize executed"]);
    expect(await app.held()).toEqual([200, 512]);
  });

  test("that does not come up is put back to what it was, and its owner is told", async () => {
    await using app = await runningApp();
    const before = await app.instance();
    const plan = await app.resize("roomy");
    await app.approve(plan);
    await app.look(plan.change.id);
    app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
    expect(await failOverdueOperations(app.core.ctx)).toBe(1);
    await reconcileChange(app.core.ctx, app.instanceId);

    expect(await app.changes()).toEqual(["resize failed OPERATION_FAILED"]);
    // What the volume has become it stays: no cluster makes it smaller.
    const limits = { ...before.limits, storageBytes: 2 * 2 ** 30 };
    expect(await app.instance()).toMatchObject({ planId: before.planId, limits, isSettled: false });
    expect(await app.subscription()).toMatchObject({ planId: before.planId });
    expect(await app.held()).toEqual([200, 512]);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.held()).toEqual([100, 256]);
    const kinds = await app.core.database.drizzle.select().from(operations).orderBy(operations.id);
    expect(kinds.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      "provision succeeded",
      "resize failed",
      "resize succeeded",
    ]);
    expect(app.core.observed).toContain("change.failed");
  });
});

test("a change that something else went before is put back when that comes to nothing", async () => {
  await using app = await runningApp();
  const operator = app.core.ctx.forOrganization(app.ctx.organizationId!);
  await holdInstance(operator, {
    instanceId: app.instanceId,
    kind: "operator",
    reason: "Looked at.",
    idempotencyKey: "hold-it-now",
  });
  await app.provision();
  const before = await app.instance();
  const plan = await app.resize("roomy");
  await app.approve(plan);
  await app.look(plan.change.id);
  await liftHold(operator, {
    instanceId: app.instanceId,
    kind: "operator",
    reason: "It is well.",
    idempotencyKey: "lift-it-now",
  });
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await app.changes()).toEqual(["resize executing"]);

  app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
  expect(await failOverdueOperations(app.core.ctx)).toBe(1);
  expect((await sweepChanges(app.core.ctx)).due).toBe(1);
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await app.changes()).toEqual(["resize failed OPERATION_FAILED"]);
  expect(await app.instance()).toMatchObject({ planId: before.planId, desiredPhase: "running" });
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await app.held()).toEqual([100, 256]);
});

describe("an update", () => {
  const zone = { kind: "update", parameters: { timeZone: "Asia/Makassar" } } as const;

  test("changes parameters and keeps plan, version and price", async () => {
    await using app = await runningApp();
    const before = await app.instance();
    const plan = await app.planned(zone);
    await app.approve(plan);
    await app.look(plan.change.id);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["update executed"]);
    expect(await app.instance()).toMatchObject({
      parameters: { timeZone: "Asia/Makassar" },
      planId: before.planId,
      blueprintVersionId: before.blueprintVersionId,
    });
  });

  test("that changes nothing, or gives what does not fit, is refused with the place", async () => {
    await using app = await runningApp();
    const update = (parameters: Record<string, unknown>) => app.planned({ kind: "update", parameters });
    await expect(update({})).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    await expect(update({ colour: "red" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(update({ timeZone: 7 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await app.changes()).toEqual([]);
  });

  test("of what may never change is refused, and so is a smaller value of what may only grow", async () => {
    await using app = await runningApp();
    const seats = "  - name: seats\n    type: integer\n    default: 3\n    upgradeOnly: true";
    await applyPlans(app.core.ctx, {
      blueprint: (source) =>
        source.replace("    default: Asia/Jakarta", `    default: Asia/Jakarta\n    immutable: true\n${seats}`),
    });
    const refused = { code: "INVALID_INPUT", issues: [{ path: "parameters.timeZone" }] };
    const zoned = app.planned({ kind: "upgrade", parameters: { timeZone: "Asia/Makassar" } });
    await expect(zoned).rejects.toMatchObject(refused);
    // What is not given is not asked to change.
    const upgrade = await app.planned({ kind: "upgrade", parameters: { seats: 5 } });
    await app.approve(upgrade);
    await app.look(upgrade.change.id);
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    const fewer = app.planned({ kind: "update", parameters: { seats: 4 } });
    await expect(fewer).rejects.toMatchObject({ code: "INVALID_INPUT", issues: [{ path: "parameters.seats" }] });
    expect((await app.planned({ kind: "update", parameters: { seats: 6 } })).change.status).toBe("planned");
  });
});

test("an upgrade takes the version that new orders get, and makes the secrets that it declares", async () => {
  await using app = await runningApp();
  await expect(app.planned({ kind: "upgrade", parameters: {} })).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  const known = await revealCredentials(app.ctx, app.instanceId);
  await applyPlans(app.core.ctx, {
    blueprint: (source) =>
      source.replace(
        "\nresources:",
        "\n  - name: apiToken\n    label: Token\n    generate: { type: random, length: 32, charset: hex }\n    reveal: owner\n\nresources:",
      ),
  });

  const plan = await app.planned({ kind: "upgrade", parameters: {} });
  await app.approve(plan);
  await app.look(plan.change.id);
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);

  expect(await app.changes()).toEqual(["upgrade executed"]);
  const { credentials } = await revealCredentials(app.ctx, app.instanceId);
  expect(credentials.slice(0, 2)).toEqual(known.credentials);
  expect(credentials[2]).toMatchObject({ name: "apiToken", value: expect.stringMatching(/^[0-9a-f]{32}$/) as string });
});

describe("a removal", () => {
  const volumes = [{ name: "data", sizeBytes: 2 ** 30, fate: "deleted" as const }];
  const secret = { kind: "Secret", name: "secrets", action: "deleted", fields: [], isRestarting: false } as const;
  const preview = { ...usualPreview, objects: [secret], volumes };

  test("says which data is lost, wants the name typed, and goes through the subscription", async () => {
    await using app = await runningApp();
    const plan = await app.planned({ kind: "deprovision" }, preview);
    expect(plan.effects).toMatchObject({
      dataLost: [
        { kind: "volume", name: "data", sizeBytes: 2 ** 30 },
        { kind: "secrets", name: "secrets" },
      ],
      warnings: ["DATA_DELETED"],
      room: { cpuMillis: -100 },
    });
    await expect(app.approve(plan)).rejects.toMatchObject({ code: "NAME_MISMATCH" });
    await expect(app.approve(plan, { confirmName: "Shop" })).rejects.toMatchObject({ code: "NAME_MISMATCH" });
    await app.approve(plan, { confirmName: "Status page" });
    expect((await app.subscription()).status).toBe("active");

    await app.look(plan.change.id, preview);
    expect(await app.subscription()).toMatchObject({ status: "cancelled", cancelReason: "customer" });
    expect(await app.instance()).toMatchObject({ desiredPhase: "absent" });
    await app.provision();
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["deprovision executed"]);
    expect(await app.pool()).toEqual([0, 0]);
  });

  test("does not wait for a change that has not begun, and waits for one that has", async () => {
    await using app = await runningApp();
    const [removal, resize] = [await app.planned({ kind: "deprovision" }, preview), await app.resize("roomy")];
    await app.approve(resize);
    expect(await app.held()).toEqual([200, 512]);
    await app.approve(removal, { confirmName: "Status page" });
    expect(await app.changes()).toEqual(["deprovision approved", "resize refused PLAN_STALE"]);
    expect(await app.held()).toEqual([100, 256]);
  });

  test("of an order that was never paid leaves nothing to wait for", async () => {
    await using app = await givenApp("small");
    const plan = await app.planned({ kind: "deprovision" }, { ...preview, objects: [], volumes: [] });
    await app.approve(plan, { confirmName: "Status page" });
    await app.look(plan.change.id, { ...preview, objects: [], volumes: [] });
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual(["deprovision executed"]);
    expect((await app.subscription()).status).toBe("cancelled");
  });
});

describe("what cannot be planned is refused at once, with a code", () => {
  const cases = [
    ["the plan that it is on", "free", "INVALID_TRANSITION"],
    ["a plan with other periods", "monthly", "PLAN_UNAVAILABLE"],
    ["a plan on other machines", "elsewhere", "PLAN_UNAVAILABLE"],
  ] as const;
  test.each(cases)("%s", async (_, slug, code) => {
    await using app = await runningApp();
    await expect(app.resize(slug)).rejects.toMatchObject({ code });
    expect(await app.changes()).toEqual([]);
  });

  test("a plan of another app, a hidden plan, an invented one, and the app of somebody else", async () => {
    await using app = await runningApp();
    const { drizzle } = app.core.database;
    const [ghost] = await drizzle.execute<{ id: string }>(
      sql`select p.id from plans p join offerings o on o.id = p.offering_id where o.slug = 'ghost'`,
    );
    const resize = (planId: string) => app.planned({ kind: "resize", planId });
    await expect(resize(ghost!.id)).rejects.toMatchObject({ code: "PLAN_UNAVAILABLE" });
    await expect(resize(app.ctx.ids.next())).rejects.toMatchObject({ code: "NOT_FOUND" });
    const roomy = await app.plan("roomy");
    await drizzle.update(planTable).set({ status: "hidden" }).where(eq(planTable.id, roomy.id));
    await expect(resize(roomy.id)).rejects.toMatchObject({ code: "PLAN_UNAVAILABLE" });
    const { ctx: stranger } = await givenCustomer(app.core.ctx);
    const input = {
      instanceId: app.instanceId,
      request: { kind: "deprovision" as const },
      idempotencyKey: "plan-0001",
    };
    await expect(planChange(stranger, input)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const own = await app.planned({ kind: "deprovision" });
    await expect(getChange(stranger, own.change.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(
      executePlan(stranger, { changeId: own.change.id, hash: own.change.hash!, idempotencyKey: "exec-0001" }),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("an app that is not ready, is being worked on, or has ended", async () => {
    await using app = await givenApp();
    await expect(app.resize("roomy")).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    await app.provision();
    await restartInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "restart1" });
    await expect(app.resize("roomy")).rejects.toMatchObject({ code: "OPERATION_IN_PROGRESS" });
    await app.provision();
    const { subscriptionId } = app;
    await cancelNow(app.ctx, { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-1" });
    await expect(app.resize("roomy")).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
    await expect(app.planned({ kind: "deprovision" })).rejects.toMatchObject({ code: "INVALID_TRANSITION" });
  });

  test("more plans of one app at once than anybody compares", async () => {
    await using app = await runningApp();
    for (let number = 0; number < 10; number += 1) await app.planned({ kind: "deprovision" });
    await expect(app.planned({ kind: "deprovision" })).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
  });
});

describe("B87 a plan is refused as stale when, after it was made,", () => {
  const cases: readonly (readonly [string, (app: TestApp) => Promise<unknown>])[] = [
    [
      "the app was restarted",
      async (app) => {
        await restartInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "restart1" });
        await app.provision();
      },
    ],
    [
      "the app was stopped and started",
      async (app) => {
        await stopInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "stop-0001" });
        await app.provision();
        await startInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "start-001" });
        await app.provision();
      },
    ],
    [
      "another change was carried out",
      async (app) => {
        const other = await app.planned({ kind: "update", parameters: { timeZone: "Asia/Makassar" } });
        await app.approve(other);
        await app.look(other.change.id);
        await app.provision();
        await reconcileChange(app.core.ctx, app.instanceId);
      },
    ],
    ["the plan's price has changed", (app) => applyPlans(app.core.ctx, { plans: [{ slug: "roomy", amount: "10" }] })],
    [
      "the plan grants something else",
      (app) => applyPlans(app.core.ctx, { plans: [{ slug: "roomy", amount: "0", cpu: "300m" }] }),
    ],
    ["the plan is no longer sold", (app) => applyPlans(app.core.ctx, { plans: [{ slug: "free", amount: "0" }] })],
    [
      "the renewal was cancelled",
      (app) => cancelAtPeriodEnd(app.ctx, { subscriptionId: app.subscriptionId, idempotencyKey: "cancel-1" }),
    ],
    ["a quarter of an hour has passed", async (app) => app.core.clock.set(addMs(app.core.clock.now(), 15 * minuteMs))],
    [
      "the subscription has ended",
      (app) =>
        cancelNow(app.ctx, {
          subscriptionId: app.subscriptionId,
          confirmName: "Status page",
          idempotencyKey: "cancel-1",
        }),
    ],
    [
      "the next period's invoice was opened",
      async (app) => {
        // The lead time is moved to now, and the plan's own life with it.
        await app.core.database.drizzle
          .update(subscriptions)
          .set({ currentPeriodEnd: addMs(app.core.clock.now(), 60 * minuteMs) })
          .where(eq(subscriptions.id, app.subscriptionId));
        await reconcileSubscription(app.core.ctx, app.subscriptionId);
      },
    ],
  ];
  test.each(cases)("%s", async (_, change) => {
    await using app = await runningApp();
    const plan = await app.resize("roomy");
    await change(app);
    const [instance, held] = [await app.instance(), await app.held()];
    await expect(app.approve(plan)).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect(await app.instance()).toEqual(instance);
    expect(await app.held()).toEqual(held);
  });

  test("another hash was seen", async () => {
    await using app = await runningApp();
    const { change } = await app.resize("roomy");
    const hash = change.hash!.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    const input = { changeId: change.id, hash, idempotencyKey: "exec-0001" };
    await expect(executePlan(app.ctx, input)).rejects.toMatchObject({ code: "PLAN_STALE" });
  });

  test.each([
    ["the cluster is another one than it was", { ...usualPreview, worldHash: "world-2" }],
    [
      "the cluster no longer accepts it",
      { ...usualPreview, refusals: [{ kind: "Deployment", name: "app", reason: "OBJECT_REFUSED" as const }] },
    ],
  ])("%s: approved as it is, it changes nothing, and the room is given back", async (_, preview) => {
    await using app = await runningApp();
    const before = await app.instance();
    const plan = await app.resize("roomy");
    await app.approve(plan);
    const { change, message } = await app.look(plan.change.id, preview);
    expect(change).toMatchObject({ status: "refused", reason: "PLAN_STALE" });
    expect(message).toContain("Plan it again");
    expect(await app.instance()).toEqual(before);
    expect(await app.held()).toEqual([100, 256]);
    expect(app.core.observed).toContain("change.refused");
  });

  test("the app was restarted between the approval and the look", async () => {
    await using app = await runningApp();
    const plan = await app.resize("roomy");
    await app.approve(plan);
    await restartInstance(app.ctx, { instanceId: app.instanceId, idempotencyKey: "restart1" });
    expect((await app.look(plan.change.id)).change).toMatchObject({ status: "refused", reason: "PLAN_STALE" });
  });
});

describe("asked for twenty times at once", () => {
  const twenty = Array.from({ length: 20 }, (_, index) => index);

  test("with one key, there is one plan; approved with one key or with twenty, it is carried out once", async () => {
    await using app = await runningApp();
    const { id: planId } = await app.plan("roomy");
    const input = {
      instanceId: app.instanceId,
      request: { kind: "resize" as const, planId },
      idempotencyKey: "plan-0001",
    };
    const plans = await Promise.all(twenty.map(() => planChange(app.ctx, input)));
    expect(new Set(plans.map(({ change }) => change.id)).size).toBe(1);

    const plan = await app.look(plans[0]!.change.id);
    const same = await Promise.all(twenty.map(() => app.approve(plan, { key: "exec-0001" })));
    const others = await Promise.all(twenty.map((index) => app.approve(plan, { key: `exec-other-${index}` })));

    expect(new Set([...same, ...others].map(({ change }) => change.status))).toEqual(new Set(["approved"]));
    expect(app.core.observed.filter((type) => type === "change.approved")).toHaveLength(1);
    expect(await app.pool()).toEqual([200, 512]);
    await Promise.allSettled(twenty.map(() => app.look(plan.change.id)));
    expect(app.core.observed.filter((type) => type === "change.started")).toHaveLength(1);
    expect((await app.instance()).generation).toBe(3);
  });
});

describe("room", () => {
  test("two resizes into the last room: one gets it, the other is told CAPACITY and nothing of it has changed", async () => {
    await using first = await runningApp();
    await using second = await givenApp("free", first.core);
    await second.provision();
    const plans = [await first.resize("roomy"), await second.resize("roomy")] as const;
    await first.core.database.drizzle.execute(sql`
      update node_pools set held_cpu_millis = allocatable_cpu_millis * (100 - cpu_reserve_percent) / 100 - 100 where name = 'default'`);
    const before = await first.pool();

    const answers = await Promise.allSettled([first.approve(plans[0]), second.approve(plans[1])]);

    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(answers.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "CAPACITY" } });
    const sizes = [(await first.held())![0], (await second.held())![0]];
    expect(sizes.toSorted((a, b) => a - b)).toEqual([100, 200]);
    expect((await first.pool())[0]).toBe(before[0] + 100);
    expect([...(await first.changes()), ...(await second.changes())].toSorted()).toEqual([
      "resize approved",
      "resize planned",
    ]);
  });

  test("has to be on the machine that holds the volume, even where another one has plenty", async () => {
    await using app = await runningApp();
    await app.core.database.drizzle.update(nodes).set({ allocatableCpuMillis: 150 }).where(eq(nodes.name, "pc-2"));
    const plan = await app.resize("roomy");
    expect(plan.effects).toMatchObject({
      warnings: ["RESTARTS", "NO_ROOM"],
      capacity: { fits: false, reason: "NODE_FULL" },
    });
    await expect(app.approve(plan)).rejects.toMatchObject({ code: "CAPACITY" });
    expect(await app.pool()).toEqual([100, 256]);
    expect(await app.changes()).toEqual(["resize planned"]);
  });

  test("on one machine is shared by those whose volumes lie there", async () => {
    await using first = await runningApp();
    await using second = await givenApp("free", first.core);
    await second.provision();
    // Room for one of them to grow, and for the other to stay.
    await first.core.database.drizzle.update(nodes).set({ allocatableCpuMillis: 300 }).where(eq(nodes.name, "pc-2"));
    const plans = [await first.resize("roomy"), await second.resize("roomy")] as const;
    const answers = await Promise.allSettled([first.approve(plans[0]), second.approve(plans[1])]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("without any job", () => {
  const forgetJobs = (app: TestApp) =>
    app.core.database.drizzle.execute(sql`delete from graphile_worker._private_jobs`);
  const keys = async (app: TestApp): Promise<readonly unknown[]> =>
    (await app.core.database.drizzle.execute(sql`select key from graphile_worker.jobs where key like 'change:%'`)).map(
      ({ key }) => key,
    );

  test("the sweep finds from the tables what has to be looked at, followed and given back", async () => {
    await using app = await runningApp();
    const { id: planId } = await app.plan("roomy");
    const { change } = await planChange(app.ctx, {
      instanceId: app.instanceId,
      request: { kind: "resize", planId },
      idempotencyKey: "plan-0001",
    });
    const [looked, followed] = [`change:preview:${change.id}`, `change:reconcile:${app.instanceId}`];
    const sweep = async (): Promise<readonly unknown[]> => {
      await forgetJobs(app);
      await sweepChanges(app.core.ctx);
      return keys(app);
    };
    expect(await sweep()).toEqual([looked]);
    const plan = await app.look(change.id);
    expect(await sweep()).toEqual([]);
    await app.approve(plan);
    expect(await sweep()).toEqual([looked]);
    await app.look(change.id);
    expect(await sweep()).toEqual([]);
    await app.provision();
    expect(await sweep()).toEqual([followed]);
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await sweep()).toEqual([]);
    expect(await app.changes()).toEqual(["resize executed"]);
  });

  test("a plan that no worker ever looked at ends, and so does an approval", async () => {
    await using app = await runningApp();
    const input = {
      instanceId: app.instanceId,
      request: { kind: "deprovision" as const },
      idempotencyKey: "plan-0001",
    };
    await planChange(app.ctx, input);
    const resize = await app.resize("roomy");
    await app.approve(resize);
    app.core.clock.set(addMs(app.core.clock.now(), 6 * minuteMs));
    await forgetJobs(app);
    expect(await sweepChanges(app.core.ctx)).toEqual({ readded: 0, due: 1 });
    await reconcileChange(app.core.ctx, app.instanceId);
    expect(await app.changes()).toEqual([
      "deprovision expired CLUSTER_UNREACHABLE",
      "resize refused CLUSTER_UNREACHABLE",
    ]);
    expect(await app.held()).toEqual([100, 256]);
    expect(await sweepChanges(app.core.ctx)).toEqual({ readded: 0, due: 0 });
  });
});

test("a plan that nobody approved is forgotten after thirty days; what was approved stays", async () => {
  await using app = await runningApp();
  await app.resize("roomy");
  await app.approve(await app.planned({ kind: "update", parameters: { timeZone: "Asia/Makassar" } }));
  app.core.clock.set(addMs(app.core.clock.now(), 60 * minuteMs));
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await app.changes()).toEqual(["resize expired NOT_APPROVED", "update refused CLUSTER_UNREACHABLE"]);
  const { items } = await listChanges(app.ctx, { instanceId: app.instanceId, limit: 1 });
  expect(items).toMatchObject([{ change: { kind: "update" }, before: { planName: "free" } }]);
  await app.core.database.drizzle.update(instanceChanges).set({ createdAt: addMs(app.core.clock.now(), -31 * dayMs) });
  expect(await deleteOldPlans(app.core.ctx)).toBe(1);
  expect(await app.changes()).toEqual(["update refused CLUSTER_UNREACHABLE"]);
  await expect(app.core.database.drizzle.delete(instanceChanges)).rejects.toMatchObject(refusal("is kept"));
});

test("what was approved is never edited, and what has ended does not begin again, whoever writes", async () => {
  await using app = await runningApp();
  const { change } = await app.resize("roomy");
  const { drizzle } = app.core.database;
  const own = eq(instanceChanges.id, change.id);
  await expect(
    drizzle.update(instanceChanges).set({ dueMinor: 0n, amountAfterMinor: 1n }).where(own),
  ).rejects.toMatchObject(refusal("the request of change"));
  await expect(
    drizzle
      .update(instanceChanges)
      .set({ hash: "0".repeat(32) })
      .where(own),
  ).rejects.toMatchObject(refusal("the plan of change"));
  await expect(drizzle.update(instanceChanges).set({ shapeAfter: {} }).where(own)).rejects.toMatchObject(
    refusal("the plan of change"),
  );
  await drizzle.update(instanceChanges).set({ status: "expired", endedAt: new Date() }).where(own);
  await expect(
    drizzle.update(instanceChanges).set({ status: "planned", endedAt: null }).where(own),
  ).rejects.toMatchObject(refusal("has ended"));
});
