import { describe, expect, test } from "vitest";
import { decideAction, type SeenFinding } from "./decide-action.ts";
import { deriveFindings, listUnjudged } from "./derive-findings.ts";
import type { Finding } from "./finding.ts";
import { costPerDay, type InventoryRow, settleRows } from "./inventory-row.ts";
import { type Comparison, type InventoryWorld, noRequests, objectKey, type WorldObject } from "./world.ts";

const now = new Date("2026-03-02T03:00:00.000Z");
const hour = 3_600_000;
const idOf = (number: number): string => `0199aaaa-0000-7000-8000-${String(number).padStart(12, "0")}`;

function row(change: Partial<InventoryRow> & { readonly number?: number } = {}): InventoryRow {
  const { number = 1, ...more } = change;
  return {
    organizationId: idOf(900),
    subscriptionId: idOf(500 + number),
    instanceId: idOf(number),
    desiredPhase: "running",
    requestedPhase: "running",
    standingHolds: 0,
    isSettled: true,
    isRemoved: false,
    inFlux: false,
    hasMoved: false,
    releasesCapacity: false,
    hasHold: true,
    subscription: {
      status: "active",
      isCapped: false,
      amount: { amountMinor: 50_000n, currency: "IDR" },
      interval: "P30D",
      currentPeriodStart: new Date(now.getTime() - 24 * hour),
      currentPeriodEnd: new Date(now.getTime() + 29 * 24 * hour),
      isPurged: false,
    },
    mark: "1 1 running true",
    ...more,
  };
}

/** An instance that is gone as it should be. */
const gone = (change: Partial<InventoryRow> = {}): InventoryRow =>
  row({
    desiredPhase: "absent",
    isRemoved: true,
    hasHold: false,
    subscription: { ...row().subscription, status: "cancelled" },
    ...change,
  });

function object(kind: string, name: string, of: InventoryRow | null, change: Partial<WorldObject> = {}): WorldObject {
  return {
    kind,
    namespace: kind === "Namespace" ? null : `sewa-${of?.instanceId ?? ""}`,
    name,
    uid: `uid of ${name}`,
    isOurs: true,
    house: "own",
    organizationId: of?.organizationId ?? null,
    subscriptionId: of?.subscriptionId ?? null,
    instanceId: of?.instanceId ?? null,
    homeId: of?.instanceId ?? null,
    deletingSince: null,
    blockedBy: null,
    requests: noRequests,
    ...change,
  };
}

const namespaceOf = (of: InventoryRow, change: Partial<WorldObject> = {}): WorldObject =>
  object("Namespace", `sewa-${of.instanceId}`, of, change);
const deploymentOf = (of: InventoryRow, change: Partial<WorldObject> = {}): WorldObject =>
  object("Deployment", "app", of, { requests: { cpuMillis: 250, memoryBytes: 512, storageBytes: 0 }, ...change });
const claimOf = (of: InventoryRow): WorldObject =>
  object("PersistentVolumeClaim", "data", of, { requests: { ...noRequests, storageBytes: 1_024 } });

function comparison(objects: readonly WorldObject[], change: Partial<Comparison> = {}): Comparison {
  return { wanted: new Set(objects.map(objectKey)), missing: [], changed: [], ...change };
}

/** A world in which the objects are there, and each row's comparison found what is given. */
function world(
  objects: readonly WorldObject[],
  comparisons: readonly (readonly [InventoryRow, Comparison])[] = [],
  change: Partial<InventoryWorld> = {},
): InventoryWorld {
  const byId = new Map(comparisons.map(([of, found]) => [of.instanceId, found]));
  return { objects, unread: [], comparisons: byId, unrenderable: new Set(), ...change };
}

const find = (rows: readonly InventoryRow[], seen: InventoryWorld): readonly Finding[] =>
  deriveFindings(new Map(rows.map((one) => [one.instanceId, one])), seen, now);
const lines = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ kind, subject }) => `${kind} ${subject.kind} ${subject.name}`);

const app = row();
const whole = [namespaceOf(app), deploymentOf(app), claimOf(app)];

test("rows and world that agree give no finding, whatever the instance is meant to be", () => {
  const stopped = row({ number: 2, desiredPhase: "stopped", requestedPhase: "stopped" });
  const expired = row({
    number: 3,
    desiredPhase: "stopped",
    releasesCapacity: true,
    hasHold: false,
    subscription: { ...row().subscription, status: "expired" },
  });
  const pending = row({
    number: 4,
    desiredPhase: "absent",
    subscription: { ...row().subscription, status: "pending" },
  });
  const rows = [app, stopped, expired, pending, gone({ instanceId: idOf(5) })];
  const objects = [...whole, namespaceOf(stopped), claimOf(stopped), namespaceOf(expired)];
  const compared = [app, stopped, expired].map((of) => [of, comparison(objects)] as const);
  expect(find(rows, world(objects, compared))).toEqual([]);
  expect(listUnjudged(new Map(rows.map((one) => [one.instanceId, one])), world(objects, compared))).toEqual(new Set());
});

describe("of an instance that should be there", () => {
  test("what is missing, changed, extra, foreign and mislabelled is each found once, with its price a day", () => {
    const mislabelled = object("Service", "app", app, { organizationId: idOf(7) });
    const extra = object("Job", "old", app);
    const foreign = object("ConfigMap", "guest", app, { isOurs: false });
    const objects = [...whole, mislabelled];
    const found = find(
      [app],
      world(
        [...objects, extra, foreign],
        [
          [
            app,
            comparison(objects, {
              missing: [{ kind: "NetworkPolicy", namespace: "n", name: "default-deny", uid: null }],
              changed: [
                { ...deploymentOf(app), fields: ["spec.replicas"] },
                { ...mislabelled, fields: ["metadata.labels"] },
              ],
            }),
          ],
        ],
      ),
    );
    expect(lines(found)).toEqual([
      "missing NetworkPolicy default-deny",
      "changed Deployment app",
      "mislabelled Service app",
      "extra Job old",
      "foreign ConfigMap guest",
    ]);
    // 50,000 over 30 days.
    const price = { amountMinor: 1_667n, currency: "IDR" };
    expect(found.map(({ costPerDay: cost }) => cost)).toEqual([price, price, price, null, null]);
    expect(found.map(({ severity }) => severity)).toEqual(["critical", "warning", "warning", "warning", "info"]);
  });

  test("what runs although it is to be stopped is told as that", () => {
    const stopped = row({ desiredPhase: "stopped", requestedPhase: "stopped" });
    const changed = [{ ...deploymentOf(stopped), fields: ["spec.replicas"] }];
    expect(lines(find([stopped], world(whole, [[stopped, comparison(whole, { changed })]])))).toEqual([
      "running_unwanted Deployment app",
    ]);
  });

  test("nothing is missed while somebody works on it or it moved under the look, and what was found before stands", () => {
    const missing = [{ kind: "Service", namespace: "n", name: "app", uid: null }];
    for (const busy of [row({ inFlux: true }), row({ hasMoved: true })]) {
      const seen = world([...whole, object("Job", "old", app)], [[busy, comparison(whole, { missing })]]);
      expect(find([busy], seen)).toEqual([]);
      expect(listUnjudged(new Map([[busy.instanceId, busy]]), seen)).toEqual(new Set([busy.instanceId]));
    }
  });

  test("one that could not be compared is not said to be well", () => {
    expect(listUnjudged(new Map([[app.instanceId, app]]), world(whole))).toEqual(new Set([app.instanceId]));
    const seen = world(whole, [], { unrenderable: new Set([app.instanceId]) });
    expect(lines(find([app], seen))).toEqual([`unrenderable Instance ${app.instanceId}`]);
  });

  test("a namespace that goes is left alone for ten minutes, and then found with what holds it", () => {
    const goingFor = (minutes: number): WorldObject =>
      namespaceOf(app, {
        deletingSince: new Date(now.getTime() - minutes * 60_000).toISOString(),
        blockedBy: "Some content has finalizers.",
      });
    const seen = (namespace: WorldObject): InventoryWorld => world([namespace], [[app, comparison([namespace])]]);
    expect(find([app], seen(goingFor(9)))).toEqual([]);
    expect(find([app], seen(goingFor(11)))).toMatchObject([
      { kind: "namespace_stuck", details: { blockedBy: "Some content has finalizers." } },
    ]);
  });

  test("a namespace that says it is another instance's is not for us to apply into", () => {
    const taken = namespaceOf(app, { instanceId: idOf(77) });
    const [found] = find([app], world([taken], [[app, comparison([taken])]]));
    expect(found).toMatchObject({ kind: "mislabelled", severity: "critical", details: { isNameTaken: true } });
    expect(decideAction(seen(found!), rules, now)).toEqual({ type: "leave" });
    const wrongCustomer = namespaceOf(app, { organizationId: idOf(77) });
    const [other] = find([app], world([wrongCustomer], [[app, comparison([wrongCustomer])]]));
    expect(decideAction(seen(other!), rules, now)).toEqual({ type: "reconcile", instanceId: app.instanceId });
  });
});

describe("what rows say of each other", () => {
  const unheard = { ...row().subscription, status: "cancelled" as const };

  test.each([
    ["a wish that money does not support", row({ subscription: unheard }), "wrong_phase"],
    ["a subscription that is paid, and nothing wanted for it", row({ desiredPhase: "absent" }), "wrong_phase"],
    ["a subscription that is paid, and its instance removed", row({ isRemoved: true }), "wrong_phase"],
    ["a running instance without a hold", row({ hasHold: false }), "instance_without_hold"],
    ["a hold of what is gone", gone({ hasHold: true }), "hold_without_instance"],
    [
      "a hold of what has given its room back",
      row({
        desiredPhase: "stopped",
        releasesCapacity: true,
        subscription: { ...row().subscription, status: "expired" },
      }),
      "hold_without_instance",
    ],
  ])("%s is found", (_, one, kind) => {
    const objects = [namespaceOf(one)];
    const compared = [[one, comparison(objects)]] as const;
    expect(find([one], world(one.isRemoved ? [] : objects, compared)).map((found) => found.kind)).toEqual([kind]);
  });

  test("the namespace of somebody who pays is no orphan, whatever was written into the instance's row", () => {
    for (const one of [row({ desiredPhase: "absent" }), row({ isRemoved: true })])
      expect(find([one], world([namespaceOf(one), claimOf(one)])).map(({ kind }) => kind)).toEqual(["wrong_phase"]);
  });
});

describe("what no row asks for", () => {
  const nobody = gone();
  const orphanage = [namespaceOf(nobody), deploymentOf(nobody), claimOf(nobody)];

  test("is an orphan with what it takes; a price is known where a row is", () => {
    const requests = { cpuMillis: 250, memoryBytes: 512, storageBytes: 1_024 };
    const details = { row: "gone", volumes: 1, running: 1, isPurged: false };
    expect(find([nobody], world(orphanage))).toEqual([
      expect.objectContaining({ kind: "orphan_namespace", details, requests, costPerDay: costPerDay(nobody) }),
    ]);
    expect(find([], world(orphanage))).toEqual([
      expect.objectContaining({ kind: "orphan_namespace", details: { ...details, row: "none" }, costPerDay: null }),
    ]);
  });

  test("is no orphan while its row moves: it may just have been paid", () => {
    expect(find([{ ...nobody, hasMoved: true }], world(orphanage))).toEqual([]);
  });

  test("is a stray outside of every namespace of ours, and whatever its labels say they are no ids of ours", () => {
    const stray = object("Deployment", "left", null, { namespace: "default", organizationId: "'; drop table" });
    expect(find([], world([stray]))).toMatchObject([{ kind: "stray", organizationId: null, costPerDay: null }]);
  });

  test("is kept when it names no house and no row knows it, and deleted when a row does", () => {
    const unsigned = orphanage.slice(0, 2).map((one): WorldObject => ({ ...one, house: "none" }));
    const decide = (rows: readonly InventoryRow[]) => {
      const [found] = find(rows, world(unsigned));
      return decideAction(seen(found!, { sightings: 9 }), rules, now).type;
    };
    expect([decide([]), decide([nobody])]).toEqual(["leave", "delete"]);
  });

  test("is a stray if it is a namespace named after no instance: we make none such, and delete none", () => {
    const [found, ...more] = find([], world([object("Namespace", "sewa-system", null)]));
    expect([found?.kind, more]).toEqual(["stray", []]);
    expect(decideAction(seen(found!, { sightings: 9 }), rules, now)).toEqual({ type: "leave" });
  });

  test("is kept when a house does not know most of what runs", () => {
    const strangers = Array.from({ length: 21 }, (_, index) => namespaceOf(gone({ instanceId: idOf(100 + index) })));
    const found = find([app], world([...strangers, ...whole], [[app, comparison(whole)]]));
    expect(found).toHaveLength(21);
    expect(found.every(({ details }) => details.isHeldBack === true)).toBe(true);
    expect(decideAction(seen(found[0]!, { sightings: 9 }), rules, now)).toEqual({ type: "leave" });
  });
});

describe("another house on the same cluster", () => {
  const theirs = { isOurs: false, house: "other" } as const;
  const stranger = row({ number: 40 });
  const inTheirs = [
    namespaceOf(stranger, theirs),
    deploymentOf(stranger, theirs),
    object("ConfigMap", "by hand", stranger, { isOurs: false, house: "none" }),
    // Somebody took a label away, or it is of an older version.
    object("Service", "unsigned", stranger, { house: "none" }),
  ];

  test("has nothing that we tell of, whether a row of ours knew the instance once or not", () => {
    expect(find([], world(inTheirs))).toEqual([]);
    expect(find([gone({ instanceId: stranger.instanceId })], world(inTheirs))).toEqual([]);
  });

  test("does not count when a house that knows most of its own is told from one that does not", () => {
    const many = Array.from({ length: 30 }, (_, index) => namespaceOf(row({ number: 100 + index }), theirs));
    const nobody = gone();
    const [found] = find([], world([...many, namespaceOf(nobody)]));
    expect(found?.details.isHeldBack).toBeUndefined();
  });

  test("that has something in an orphan of ours keeps it from being deleted; what runs of ours ends all the same", () => {
    const nobody = gone();
    const shared = [namespaceOf(nobody), object("ConfigMap", "theirs", nobody, theirs)];
    const decide = (objects: readonly WorldObject[]) => {
      const [found] = find([nobody], world(objects));
      return decideAction(seen(found!, { sightings: 9 }), rules, now).type;
    };
    expect([decide(shared), decide([...shared, deploymentOf(nobody)])]).toEqual(["leave", "stop_namespace"]);
  });

  test("and its label on the namespace of a live app is told once, and nothing is applied into it", () => {
    const taken = namespaceOf(app, theirs);
    const objects = [taken, deploymentOf(app)];
    const fields = ["metadata.labels.sewa.dev/house"];
    const missing = [{ kind: "Service", namespace: "n", name: "app", uid: null }];
    const found = find(
      [app],
      world(objects, [[app, comparison(objects, { changed: [{ ...taken, fields }], missing })]]),
    );
    expect(found).toMatchObject([{ kind: "mislabelled", details: { isNameTaken: true, fields } }]);
    expect(decideAction(seen(found[0]!), rules, now)).toEqual({ type: "leave" });
  });

  test("and its object in a live app's namespace is somebody else's, which is told and not deleted", () => {
    const guest = object("Deployment", "guest", app, theirs);
    const found = find([app], world([...whole, guest], [[app, comparison(whole)]]));
    expect(lines(found)).toEqual(["foreign Deployment guest"]);
    expect(decideAction(seen(found[0]!, { sightings: 9 }), rules, now)).toEqual({ type: "leave" });
  });
});

const rules = { isWhole: true, orphanVolumeGraceDays: 30 };
function seen(finding: Finding, change: Partial<SeenFinding> = {}): SeenFinding {
  return { ...finding, firstSeenAt: now, sightings: 1, ...change };
}

describe("an orphan", () => {
  const nobody = gone();
  const [empty] = find([nobody], world([namespaceOf(nobody), deploymentOf(nobody)]));
  const [full] = find([nobody], world([namespaceOf(nobody), deploymentOf(nobody), claimOf(nobody)]));
  const [quiet] = find([nobody], world([namespaceOf(nobody), claimOf(nobody)]));
  const purged = gone({ subscription: { ...nobody.subscription, isPurged: true } });
  const [lawful] = find([purged], world([namespaceOf(purged), claimOf(purged)]));
  const later = (days: number): Date => new Date(now.getTime() + days * 24 * hour);

  test.each([
    ["seen once", empty!, 1, 0, true, "leave"],
    ["seen twice", empty!, 2, 0, true, "delete"],
    ["seen twice by a look that was not whole", empty!, 2, 0, false, "leave"],
    ["seen twice, with data", full!, 2, 0, true, "stop_namespace"],
    ["seen twice, with data and nothing else", quiet!, 2, 0, true, "leave"],
    ["with data, a day before grace ends", quiet!, 9, 29, true, "leave"],
    ["with data, once grace is over", full!, 9, 30, true, "delete"],
    ["seen twice, with data that was deleted lawfully before", lawful!, 2, 0, true, "delete"],
  ] as const)("%s", (_, finding, sightings, days, isWhole, type) => {
    expect(decideAction(seen(finding, { sightings }), { ...rules, isWhole }, later(days)).type).toBe(type);
  });
});

test("an object of ours that nothing asks for is deleted only if it runs: data and what restricts are for people", () => {
  const objects = ["Job", "Ingress", "PersistentVolumeClaim", "NetworkPolicy", "ConfigMap"];
  const extras = objects.map((kind) => object(kind, "old", app));
  const found = find([app], world([...whole, ...extras], [[app, comparison(whole)]]));
  const types = found.map((finding) => decideAction(seen(finding, { sightings: 2 }), rules, now).type);
  expect(types).toEqual(["delete", "delete", "leave", "leave", "leave"]);
});

test("a row counts as moved when anything about it changed between two readings, or when it was not there before", () => {
  const [same, changed, fresh, removed] = [1, 2, 3, 4].map((number) => row({ number })) as [
    InventoryRow,
    InventoryRow,
    InventoryRow,
    InventoryRow,
  ];
  const before = new Map([same, changed].map((one) => [one.instanceId, one]));
  const after = [same, { ...changed, mark: "2" }, fresh, { ...removed, isRemoved: true }];
  const settled = settleRows(before, new Map(after.map((one) => [one.instanceId, one])));
  expect([...settled.values()].map(({ hasMoved }) => hasMoved)).toEqual([false, true, true, false]);
});

test.each([
  ["30 days", "P30D", 50_000n, 30, 1_667n],
  ["a short month", "P1M", 28_000n, 28, 1_000n],
  ["a month that has not begun", "P1M", 45n, null, 2n],
  ["nothing to pay", "P30D", 0n, 30, 0n],
] as const)("a day of %s costs its part of the price, rounded once", (_, interval, amountMinor, days, expected) => {
  const end = days === null ? null : new Date(now.getTime() + days * 24 * hour);
  const subscription = {
    ...row().subscription,
    interval,
    amount: { amountMinor, currency: "IDR" },
    currentPeriodStart: days === null ? null : now,
    currentPeriodEnd: end,
  };
  expect(costPerDay(row({ subscription }))).toEqual({ amountMinor: expected, currency: "IDR" });
});
