import { capacityHolds, inventoryFindings, nodePools } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { createContext } from "../context.ts";
import { beatPool } from "../jobs/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import {
  beginAudit,
  correctRows,
  countReportedFindings,
  deleteOldInventory,
  type Finding,
  finishAudit,
  getAudit,
  getInventoryReport,
  listFindings,
  noteAction,
  readInventoryRows,
  recordFindings,
  requestAudit,
} from "./index.ts";

const counts = {
  isWhole: true,
  unread: [],
  objects: 0,
  instances: 0,
  unjudged: 0,
  findings: 0,
  resolved: 0,
  repaired: 0,
  deleted: 0,
};

function pass(core: TestCore, minutes: number): void {
  core.clock.set(new Date(core.clock.now().getTime() + minutes * 60_000));
}

describe("audits come one at a time:", () => {
  test("who asks while one waits is told of that one, and who begins while one runs gets none", async () => {
    await using core = await testCore();
    const { ctx } = core;
    const asked = await requestAudit(ctx);
    expect((await requestAudit(ctx)).id).toBe(asked.id);
    expect(await beginAudit(ctx, "a")).toMatchObject({ id: asked.id, status: "running", holder: "a" });
    const next = await requestAudit(ctx);
    expect(next.id).not.toBe(asked.id);
    expect(await beginAudit(ctx, "b")).toBeNull();
    await finishAudit(ctx, asked.id, counts);
    expect(await beginAudit(ctx, "b")).toMatchObject({ id: next.id });
  });

  test("of several that begin at once one gets it", async () => {
    await using core = await testCore();
    const begun = await Promise.all(["a", "b", "c", "d"].map((holder) => beginAudit(core.ctx, holder)));
    expect(begun.filter((audit) => audit !== null)).toHaveLength(1);
  });

  test("one whose worker fell silent, or that takes too long, makes room for the next", async () => {
    await using core = await testCore();
    const { ctx } = core;
    await beatPool(ctx, { poolId: "a", host: "a", version: "1", internalUrl: null });
    const lost = await beginAudit(ctx, "a");
    expect(await beginAudit(ctx, "b")).toBeNull();
    await core.database.drizzle.execute("update worker_pools set beat_at = now() - interval '61 seconds'");
    const slow = await beginAudit(ctx, "b");
    expect(slow).not.toBeNull();
    expect(await getAudit(ctx, lost!.id)).toMatchObject({ status: "failed" });
    pass(core, 11);
    expect(await beginAudit(ctx, "c")).not.toBeNull();
  });

  test("only operators ask for them and read them", async () => {
    await using core = await testCore();
    const { ctx } = await givenCustomer(core.ctx);
    const calls = [requestAudit(ctx), listFindings(ctx, {}), getInventoryReport(ctx)];
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: "FORBIDDEN" })));
  });
});

function finding(change: Partial<Finding> = {}): Finding {
  return {
    kind: "orphan_namespace",
    severity: "warning",
    subject: { kind: "Namespace", namespace: null, name: "sewa-1", uid: "first" },
    organizationId: null,
    subscriptionId: null,
    instanceId: null,
    details: { row: "none", volumes: 0, running: 0, isPurged: false },
    costPerDay: null,
    requests: null,
    ...change,
  };
}

const nobody: ReadonlySet<string> = new Set();
const whole = (...findings: readonly Finding[]) => ({ findings, isWhole: true, unjudged: nobody });

describe("a finding", () => {
  test("is seen as often as looks are a quarter of an hour apart, and an orphan is reported once it is so old", async () => {
    await using core = await testCore();
    const seen: unknown[] = [];
    for (const minutes of [0, 10, 10, 10, 5]) {
      pass(core, minutes);
      const { recorded } = await recordFindings(core.ctx, whole(finding()));
      const counted = (await countReportedFindings(core.ctx)).get("orphan_namespace") ?? 0;
      seen.push([recorded[0]!.row.sightings, recorded[0]!.isNewlyReported, counted]);
    }
    expect(seen).toEqual([
      [1, false, 0],
      [1, false, 0],
      [2, true, 1],
      [2, false, 1],
      [3, false, 1],
    ]);
  });

  test("of a look that was not whole is kept and not counted, and nothing is resolved by it", async () => {
    await using core = await testCore();
    const other = finding({ subject: { kind: "Namespace", namespace: null, name: "sewa-2", uid: "x" } });
    const partly = (...findings: readonly Finding[]) => ({ ...whole(...findings), isWhole: false });
    await recordFindings(core.ctx, partly(finding(), other));
    pass(core, 20);
    expect(await recordFindings(core.ctx, partly(finding()))).toMatchObject({
      resolved: 0,
      recorded: [{ row: { sightings: 0 } }],
    });
    pass(core, 20);
    expect(await recordFindings(core.ctx, whole(finding()))).toMatchObject({
      resolved: 1,
      recorded: [{ row: { sightings: 1 } }],
    });
  });

  test("about an object that was made anew is another one, and begins to be counted anew", async () => {
    await using core = await testCore();
    await recordFindings(core.ctx, whole(finding()));
    pass(core, 20);
    const anew = finding({ subject: { ...finding().subject, uid: "second" } });
    expect(await recordFindings(core.ctx, whole(anew))).toMatchObject({
      resolved: 1,
      recorded: [{ row: { sightings: 1 } }],
    });
  });

  test("stands while its instance is in flux, and is resolved when it is seen no more", async () => {
    await using core = await testCore();
    const instanceId = core.ctx.ids.next();
    await recordFindings(core.ctx, whole(finding({ kind: "changed", instanceId })));
    const busy = { findings: [], isWhole: true, unjudged: new Set([instanceId]) };
    expect(await recordFindings(core.ctx, busy)).toMatchObject({ resolved: 0 });
    expect(await recordFindings(core.ctx, whole())).toMatchObject({ resolved: 1 });
    expect((await listFindings(core.ctx, { status: "resolved" })).items).toHaveLength(1);
  });

  test("costs its app's day once, however much is found about it, and what has no price is counted", async () => {
    await using core = await testCore();
    const instanceId = core.ctx.ids.next();
    const price = { amountMinor: 1_500n, currency: "IDR" };
    const about = (name: string, costPerDay: Finding["costPerDay"]): Finding =>
      finding({ kind: "missing", instanceId, costPerDay, subject: { ...finding().subject, name, uid: null } });
    await recordFindings(core.ctx, whole(about("a", price), about("b", price), about("c", null), finding()));
    expect(await getInventoryReport(core.ctx)).toEqual({
      audit: null,
      openFindings: 4,
      withoutPrice: 2,
      costPerDay: [price],
    });
  });

  test("that was put right is told in the operators' audit, and to the organization only if there is one", async () => {
    await using core = await testCore();
    const { organizationId } = await givenCustomer(core.ctx);
    for (const id of [organizationId, core.ctx.ids.next()]) {
      const subject = { ...finding().subject, uid: id };
      const { recorded } = await recordFindings(core.ctx, whole(finding({ organizationId: id, subject })));
      await noteAction(core.ctx, recorded[0]!.row, "kept_for_data");
    }
    expect(core.observed).toEqual(["instance.orphanRemoved"]);
    const audit = await core.database.drizzle.execute("select action from operator_audit_entries");
    expect(audit.map((row) => row["action"])).toEqual(["inventory.kept_for_data", "inventory.kept_for_data"]);
  });

  test("is written down however much its object asks for", async () => {
    await using core = await testCore();
    const requests = { cpuMillis: 0.5, memoryBytes: 2 ** 70, storageBytes: 0 };
    await recordFindings(core.ctx, whole(finding({ requests })));
    const { items } = await listFindings(core.ctx, {});
    expect(items).toMatchObject([{ requestedCpuMillis: 1, requestedMemoryBytes: Number.MAX_SAFE_INTEGER }]);
  });

  test("is kept while it stands and for 400 days after, audits for 30", async () => {
    await using core = await testCore();
    const { ctx } = core;
    const audit = await beginAudit(ctx, "a");
    await finishAudit(ctx, audit!.id, counts);
    const resolved = finding({ subject: { ...finding().subject, uid: "resolved" } });
    await recordFindings(ctx, whole(finding(), resolved));
    await recordFindings(ctx, whole(finding()));
    const deleted: unknown[] = [];
    for (const days of [30, 1, 368, 2]) {
      pass(core, days * 24 * 60);
      deleted.push(await deleteOldInventory(ctx));
    }
    const [none, oneAudit, oneFinding] = [
      { audits: 0, findings: 0 },
      { audits: 1, findings: 0 },
      { audits: 0, findings: 1 },
    ];
    expect(deleted).toEqual([none, oneAudit, none, oneFinding]);
    expect((await listFindings(ctx, {})).items).toHaveLength(1);
  });

  test("is written by the worker alone: the server may only read it", async () => {
    await using core = await testCore();
    const { ctx } = await givenCustomer(core.ctx);
    await recordFindings(core.ctx, whole(finding()));
    const refused = { cause: { code: "42501" } };
    await expect(ctx.db.drizzle.update(inventoryFindings).set({ sightings: 9 })).rejects.toMatchObject(refused);
    await expect(ctx.db.drizzle.delete(inventoryFindings)).rejects.toMatchObject(refused);
    const house = createContext(ctx, { actor: core.ctx.actor });
    expect(await house.transaction((tx) => tx.sql.$count(inventoryFindings))).toBe(1);
  });
});

describe("rows of an app", () => {
  async function given() {
    const core = await testCore();
    await givenCatalog(core.ctx);
    await givenMachines(core.ctx);
    const { ctx } = await givenCustomer(core.ctx);
    const { instanceId } = (await givenOrder(ctx)).subscription;
    await provisionOnce(core.ctx, instanceId);
    const { drizzle } = core.database;
    return {
      core,
      instanceId,
      row: async () => (await readInventoryRows(core.ctx)).get(instanceId)!,
      holds: async () => [
        await drizzle.$count(capacityHolds),
        (await drizzle.select().from(nodePools).where(eq(nodePools.name, "default")))[0]!.heldCpuMillis,
      ],
      sql: (statement: string) => drizzle.execute(`${statement} = '${instanceId}'`),
      [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
    };
  }

  test("that agree are left alone", async () => {
    await using app = await given();
    expect(await correctRows(app.core.ctx, await app.row())).toBe(false);
    expect(await app.row()).toMatchObject({ hasHold: true, isSettled: true, inFlux: false });
  });

  test("get the hold back that an app runs on, although there is no room left, and the pool's sum with it", async () => {
    await using app = await given();
    const before = await app.holds();
    await app.sql("delete from capacity_holds where instance_id");
    await app.core.database.drizzle.execute("update node_pools set allocatable_cpu_millis = 0");
    expect(await correctRows(app.core.ctx, await app.row())).toBe(true);
    expect(await app.holds()).toEqual(before);
  });

  test("follow what money and customer say, and never towards a deletion", async () => {
    await using app = await given();
    await app.sql("update instances set desired_phase = 'stopped' where id");
    expect(await correctRows(app.core.ctx, await app.row())).toBe(true);
    expect(await app.row()).toMatchObject({ desiredPhase: "running", isSettled: false });
    await provisionOnce(app.core.ctx, app.instanceId);
    await app.core.database.drizzle.execute(
      "update subscriptions set status = 'cancelled', cancelled_at = now(), cancel_reason = 'operator'",
    );
    expect(await correctRows(app.core.ctx, await app.row())).toBe(false);
    expect(await app.row()).toMatchObject({ desiredPhase: "running" });
  });

  test("are not touched once they have moved since they were judged", async () => {
    await using app = await given();
    const judged = await app.row();
    await app.sql("delete from capacity_holds where instance_id");
    expect(await correctRows(app.core.ctx, judged)).toBe(false);
  });
});
