import { connectDatabase } from "@sewa/db";
import { connectAsSuperuser, createTestDatabase } from "@sewa/db/testing";
import { startDevcluster } from "@sewa/devcluster";
import type { Client } from "@sewa/dev";
import { type SQL, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { type House, isUp, order, reached, startHouse, until } from "./house.ts";
import { randomOf } from "./random.ts";
import {
  type Auditor,
  bodies,
  type Hands,
  handsOn,
  houseIdOf,
  type Ids,
  labelled,
  lineOf,
  linesOf,
  madeUpIds,
  operatorOf,
  sewa,
  startAuditor,
  uuid,
} from "./inventory-world.ts";

const seed = Number(process.env["INVENTORY_SEED"] || Math.floor(Math.random() * 2 ** 31));
const inconsistencies = 50;

interface App extends Ids {
  readonly namespace: string;
  readonly publicId: string;
  readonly subscription: string;
}

async function startApp(house: House, client: Client): Promise<App> {
  const { subscription } = await order(client, "App");
  await reached(client, subscription.instanceId, isUp);
  const { organization } = await client.api.auth.me.query();
  const instanceId = uuid("instance", subscription.instanceId);
  return {
    houseId: await houseIdOf(house),
    organizationId: uuid("organization", organization.id),
    subscriptionId: uuid("subscription", subscription.id),
    instanceId,
    namespace: `sewa-${instanceId}`,
    publicId: subscription.instanceId,
    subscription: subscription.id,
  };
}

const key = (): string => `test-${crypto.randomUUID()}`;

async function endApp({ api }: Client, app: App): Promise<void> {
  await api.subscriptions.cancelNow.mutate({
    subscriptionId: app.subscription,
    confirmName: "App",
    idempotencyKey: key(),
  });
  await until("it is purged", async () => {
    const { purgedAt } = await api.subscriptions.get.query({ subscriptionId: app.subscription });
    return purgedAt;
  });
}

async function execute(house: House, statement: SQL): Promise<readonly Record<string, unknown>[]> {
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  return await database.drizzle.execute(statement);
}

function namesIn(house: House, namespace: string, kind?: string): readonly string[] {
  return house.parts
    .devcluster!.objects(kind)
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map(({ metadata }) => metadata.name);
}

/** What a person can spoil inside of a namespace of ours; each takes one object, and answers what an audit has to find. */
function spoilersOf(hands: Hands, { namespace, ...ids }: App): readonly (() => Promise<string>)[] {
  const missing = (kind: string, name: string) => async () => {
    await hands.erase(kind, namespace, name);
    return lineOf("missing", { kind, namespace, name });
  };
  const changed = (kind: string, name: string, change: Readonly<Record<string, unknown>>) => async () => {
    await hands.patch(kind, namespace, name, change);
    return lineOf("changed", { kind, namespace, name });
  };
  const mislabelled = (kind: string, name: string) => async () => {
    await hands.patch(kind, namespace, name, {
      metadata: { labels: { "sewa.dev/organization": crypto.randomUUID() } },
    });
    return lineOf("mislabelled", { kind, namespace, name });
  };
  const added = (finding: "extra" | "foreign", kind: string) => async () => {
    const name = `${finding}-${kind.toLowerCase()}`;
    const labels = finding === "extra" ? labelled({ namespace, ...ids } as App) : {};
    await hands.create(kind, namespace, name, { ...bodies[kind], ...labels });
    return lineOf(finding, { kind, namespace, name });
  };
  return [
    async () => {
      const labels = { "pod-security.kubernetes.io/enforce": "privileged" };
      await hands.patch("Namespace", null, namespace, { metadata: { labels } });
      return lineOf("changed", { kind: "Namespace", name: namespace });
    },
    async () => {
      const name = "allow-ingress-controller";
      await hands.patch("NetworkPolicy", namespace, name, {
        metadata: { labels: { "app.kubernetes.io/managed-by": null } },
      });
      return lineOf("mislabelled", { kind: "NetworkPolicy", namespace, name });
    },
    missing("NetworkPolicy", "default-deny"),
    missing("NetworkPolicy", "allow-dns"),
    changed("NetworkPolicy", "allow-internet", { spec: { egress: [{}] } }),
    mislabelled("NetworkPolicy", "allow-own-pods"),
    missing("LimitRange", "plan"),
    changed("ResourceQuota", "plan", { spec: { hard: { pods: "50" } } }),
    changed("Secret", "secrets", { data: { adminPassword: Buffer.from("spoilt").toString("base64") } }),
    mislabelled("ServiceAccount", "app"),
    changed("Deployment", "app", { spec: { template: { spec: { terminationGracePeriodSeconds: 5 } } } }),
    missing("Service", "app"),
    changed("Ingress", "address", { spec: { rules: [{ host: "elsewhere.example.com" }] } }),
    mislabelled("PersistentVolumeClaim", "data"),
    added("extra", "ServiceAccount"),
    added("extra", "Ingress"),
    added("extra", "Job"),
    added("extra", "NetworkPolicy"),
    added("foreign", "ConfigMap"),
    added("foreign", "NetworkPolicy"),
    added("foreign", "ServiceAccount"),
  ];
}

/** Takes `count` of a list, by the dice. */
function draw<T>(list: readonly T[], count: number, random: () => number): readonly T[] {
  const rest = [...list];
  return Array.from({ length: count }, () => rest.splice(Math.floor(random() * rest.length), 1)[0]!);
}

interface Orphans {
  readonly empty: Ids;
  readonly withData: Ids;
  readonly purged: App;
}

const namespaceOf = ({ instanceId }: Ids): string => `sewa-${instanceId}`;

/** Namespaces that no row asks for: one without data, one with, and one of an app whose data was deleted already. */
async function makeOrphans(
  hands: Hands,
  purged: App,
): Promise<{ readonly orphans: Orphans; readonly lines: string[] }> {
  const { houseId } = purged;
  const orphans: Orphans = { empty: madeUpIds(houseId), withData: madeUpIds(houseId), purged };
  const lines: string[] = [];
  for (const ids of [orphans.empty, orphans.withData, purged]) {
    const namespace = namespaceOf(ids);
    await hands.create("Namespace", null, namespace, labelled(ids));
    for (const kind of ["Deployment", "Service", "ConfigMap"])
      await hands.create(kind, namespace, "left", { ...bodies[kind], ...labelled(ids) });
    if (ids !== orphans.empty)
      await hands.create("PersistentVolumeClaim", namespace, "data", {
        ...bodies["PersistentVolumeClaim"],
        ...labelled(ids),
      });
    lines.push(lineOf("orphan_namespace", { kind: "Namespace", name: namespace }));
  }
  return { orphans, lines };
}

async function makeStrays(hands: Hands, houseId: string): Promise<string[]> {
  const lines: string[] = [];
  for (const kind of ["Deployment", "ConfigMap", "Service"]) {
    await hands.create(kind, "default", "stray", { ...bodies[kind], ...labelled(madeUpIds(houseId)) });
    lines.push(lineOf("stray", { kind, namespace: "default", name: "stray" }));
  }
  return lines;
}

/** What another house has on this cluster: an app, one whose labels somebody took away in part, and a thing outside of both. */
async function makeNeighbours(hands: Hands): Promise<readonly Ids[]> {
  const theirHouse = crypto.randomUUID();
  const neighbours = [madeUpIds(theirHouse), madeUpIds(theirHouse)];
  for (const [index, ids] of neighbours.entries()) {
    const namespace = namespaceOf(ids);
    const house = index === 0 ? {} : { "sewa.dev/house": null };
    const { labels } = labelled(ids).metadata as { readonly labels: Readonly<Record<string, string>> };
    await hands.create("Namespace", null, namespace, labelled(ids));
    for (const kind of ["Deployment", "Service", "ConfigMap", "PersistentVolumeClaim"])
      await hands.create(kind, namespace, "theirs", { ...bodies[kind], metadata: { labels: { ...labels, ...house } } });
    await hands.create("ConfigMap", namespace, "guest", bodies["ConfigMap"]);
  }
  await hands.create("ConfigMap", "default", "theirs", { ...bodies["ConfigMap"], ...labelled(neighbours[0]!) });
  return neighbours;
}

/** What only rows can get wrong, one of each kind. */
async function spoilRows(house: House, apps: readonly App[], gone: App): Promise<string[]> {
  const [unwanted, secretless, unheld] = apps;
  await execute(house, sql`update instances set desired_phase = 'absent' where id = ${unwanted!.instanceId}`);
  await execute(house, sql`delete from instance_secrets where instance_id = ${secretless!.instanceId}`);
  await execute(house, sql`delete from capacity_holds where instance_id = ${unheld!.instanceId}`);
  await execute(
    house,
    sql`insert into capacity_holds (instance_id, organization_id, pool, cpu_millis, memory_bytes)
      values (${gone.instanceId}, ${gone.organizationId}, 'default', 100, 1000)`,
  );
  const line = (kind: string, { instanceId }: App): string => lineOf(kind, { kind: "Instance", name: instanceId });
  return [
    line("wrong_phase", unwanted!),
    line("unrenderable", secretless!),
    line("instance_without_hold", unheld!),
    line("hold_without_instance", gone),
  ];
}

async function findings(auditor: Auditor): Promise<readonly Record<string, unknown>[]> {
  return auditor.core.db.drizzle.execute("select * from inventory_findings");
}

test(
  `K25 K26 K27 ${inconsistencies} seeded inconsistencies are all found and none is invented, what can be repaired is, and orphans go by the rules (INVENTORY_SEED=${seed})`,
  { timeout: 300_000 },
  async () => {
    const random = randomOf(seed);
    await using house = await startHouse();
    await using client = await house.customer();
    const apps: App[] = [];
    for (let count = 0; count < 12; count += 1) apps.push(await startApp(house, client));
    const [gone, purged, stopped, vanished, stuck, unwanted, secretless, unheld, ...spoilt] = apps as [App, ...App[]];
    for (const app of [gone, purged!]) await endApp(client, app);
    await client.api.instances.stop.mutate({ instanceId: stopped!.publicId, idempotencyKey: key() });
    await reached(client, stopped!.publicId, ({ observedPhase }) => observedPhase === "stopped");
    await house.workers[0]!.close();
    await using auditor = await startAuditor(house);
    expect(linesOf(await auditor.audit())).toEqual([]);

    const hands = handsOn(house.parts.devcluster!);
    const neighbours = await makeNeighbours(hands);
    const theirs = (): readonly string[] => neighbours.flatMap((ids) => namesIn(house, namespaceOf(ids)));
    const before = theirs();
    expect(before.length).toBeGreaterThan(8);
    const { orphans, lines } = await makeOrphans(hands, purged!);
    const expected = [...lines, ...(await makeStrays(hands, gone.houseId))];
    expected.push(...(await spoilRows(house, [unwanted!, secretless!, unheld!], gone)));
    const labels = { "sewa.dev/subscription": crypto.randomUUID() };
    await hands.patch("Namespace", null, unheld!.namespace, { metadata: { labels } });
    expected.push(lineOf("mislabelled", { kind: "Namespace", name: unheld!.namespace }));
    await hands.erase("Namespace", null, vanished!.namespace);
    await until("it is gone", () => (namesIn(house, vanished!.namespace).length === 0 ? true : null));
    expected.push(lineOf("missing", { kind: "Namespace", name: vanished!.namespace }));
    await hands.patch("Deployment", stopped!.namespace, "app", { spec: { replicas: 1 } });
    expected.push(lineOf("running_unwanted", { kind: "Deployment", namespace: stopped!.namespace, name: "app" }));
    await hands.create("ConfigMap", stuck!.namespace, "held", { metadata: { finalizers: ["example.com/held"] } });
    await hands.erase("Namespace", null, stuck!.namespace);
    expected.push(lineOf("namespace_stuck", { kind: "Namespace", name: stuck!.namespace }));
    const spoilers = spoilt.flatMap((app) => spoilersOf(hands, app));
    for (const spoil of draw(spoilers, inconsistencies - expected.length, random)) expected.push(await spoil());
    expect(expected).toHaveLength(inconsistencies);
    auditor.pass(11);

    const first = await auditor.audit();
    expect(linesOf(first)).toEqual(expected.toSorted());
    expect(first.audit).toMatchObject({
      isWhole: true,
      unjudged: 0,
      findings: inconsistencies,
      resolved: 0,
      deleted: 0,
    });

    // What is deleted or left to people stands; all else is as it should be.
    const kept = /^(orphan_namespace|stray|extra|foreign|namespace_stuck|unrenderable) /;
    auditor.pass(4);
    const second = await auditor.audit();
    expect(linesOf(second)).toEqual(expected.filter((line) => kept.test(line)).toSorted());
    expect(second.audit).toMatchObject({ deleted: 0, repaired: 0 });
    expect(namesIn(house, namespaceOf(orphans.empty))).toContain("left");

    auditor.pass(11);
    const third = await auditor.audit();
    expect(third.audit.deleted).toBeGreaterThanOrEqual(3);
    await until("the orphans without data are gone", () => {
      const left = [orphans.empty, orphans.purged].flatMap((ids) => namesIn(house, namespaceOf(ids)));
      return left.length === 0 ? true : null;
    });
    await until("what ran beside data is gone", () =>
      namesIn(house, namespaceOf(orphans.withData), "Pod").length === 0 ? true : null,
    );
    expect(namesIn(house, namespaceOf(orphans.withData), "Deployment")).toEqual([]);
    expect(namesIn(house, namespaceOf(orphans.withData), "PersistentVolumeClaim")).toEqual(["data"]);
    expect(namesIn(house, "default", "Deployment")).toEqual(["stray"]);

    auditor.pass(29 * 24 * 60);
    await auditor.audit();
    expect(namesIn(house, namespaceOf(orphans.withData), "PersistentVolumeClaim")).toEqual(["data"]);
    auditor.pass(2 * 24 * 60);
    await auditor.audit();
    await until("its data is gone, too", () =>
      namesIn(house, namespaceOf(orphans.withData)).length === 0 ? true : null,
    );
    const [sums] = await execute(
      house,
      sql`select held_cpu_millis = (select sum(cpu_millis) from capacity_holds) as agree from node_pools`,
    );
    expect(sums).toEqual({ agree: true });
    // A volume of somebody who pays was never touched.
    for (const { namespace } of [stopped!, unwanted!, unheld!, ...spoilt])
      expect(namesIn(house, namespace, "PersistentVolumeClaim")).toEqual(["data"]);
    expect((await findings(auditor)).filter((row) => row["kind"] === "orphan_namespace")).toHaveLength(3);
    // Nor was anything of another house, after a month of audits.
    expect(theirs()).toEqual(before);
    expect(namesIn(house, "default", "ConfigMap")).toContain("theirs");
  },
);

test.each([403, 500] as const)(
  "a look at which one kind is refused with %i is not whole: it deletes nothing, resolves nothing and counts no sighting",
  { timeout: 120_000 },
  async (status) => {
    await using house = await startHouse({ workers: 0 });
    await using auditor = await startAuditor(house);
    const hands = handsOn(house.parts.devcluster!);
    const houseId = await houseIdOf(house);
    const [stays, leaves] = [madeUpIds(houseId), madeUpIds(houseId)];
    for (const ids of [stays, leaves]) await hands.create("Namespace", null, namespaceOf(ids), labelled(ids));
    const lineOfOrphan = (ids: Ids): string =>
      lineOf("orphan_namespace", { kind: "Namespace", name: namespaceOf(ids) });
    expect(linesOf(await auditor.audit())).toEqual([lineOfOrphan(stays), lineOfOrphan(leaves)].toSorted());
    await hands.erase("Namespace", null, namespaceOf(leaves));
    await until(
      "it is gone",
      () =>
        house.parts.devcluster!.objects("Namespace").every(({ metadata }) => metadata.name !== namespaceOf(leaves)) ||
        null,
    );

    house.parts.devcluster!.faults.answer({ verb: "list", plural: "limitranges" }, { status });
    for (let round = 0; round < 3; round += 1) {
      auditor.pass(16);
      const partly = await auditor.audit();
      expect(linesOf(partly)).toEqual([lineOfOrphan(stays)]);
      expect(partly.audit).toMatchObject({ isWhole: false, unread: ["LimitRange"], resolved: 0, deleted: 0 });
    }
    expect(await findings(auditor)).toMatchObject([{ sightings: 1 }, { sightings: 1, resolved_at: null }]);

    house.parts.devcluster!.faults.clear();
    auditor.pass(1);
    const again = await auditor.audit();
    expect(again.audit).toMatchObject({ isWhole: true, resolved: 1, deleted: 1 });
  },
);

test(
  "K33 an empty cluster is filled again from the rows, and what an older backup brings back keeps its data until grace is over",
  {
    timeout: 120_000,
  },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const apps = [await startApp(house, client), await startApp(house, client)];
    await house.workers[0]!.close();
    await using restored = await startDevcluster({ port: 0, pace: 0 });
    await using auditor = await startAuditor(house, { cluster: restored });

    const empty = await auditor.audit();
    expect(linesOf(empty)).toEqual(
      apps.map(({ namespace }) => lineOf("missing", { kind: "Namespace", name: namespace })).toSorted(),
    );
    expect(empty.actions).toEqual({ repaired: 2, deleted: 0, kept_for_data: 0 });
    const claims = (): readonly string[] =>
      restored.objects("PersistentVolumeClaim").map(({ metadata }) => metadata.namespace!);
    expect(claims().toSorted()).toEqual(apps.map(({ namespace }) => namespace).toSorted());

    // What was ordered after that backup is not in it, and what has ended since is in it again.
    const yesterday = madeUpIds(apps[0]!.houseId);
    const hands = handsOn(restored);
    await hands.create("Namespace", null, namespaceOf(yesterday), labelled(yesterday));
    for (const kind of ["PersistentVolumeClaim", "Deployment"])
      await hands.create(kind, namespaceOf(yesterday), "data", { ...bodies[kind], ...labelled(yesterday) });
    for (const minutes of [0, 14, 2, 16, 60 * 24 * 29]) {
      auditor.pass(minutes);
      await auditor.audit();
      expect(claims()).toContain(namespaceOf(yesterday));
    }
    expect(restored.objects("Deployment").map(({ metadata }) => metadata.name)).not.toContain("data");
    expect(claims().filter((namespace) => namespace !== namespaceOf(yesterday))).toHaveLength(2);
  },
);

test(
  "P14 a database that forgot its apps, but is of this house, deletes none at the first look, and no data before grace",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const apps = [await startApp(house, client), await startApp(house, client)];
    await house.workers[0]!.close();
    await using database = await createTestDatabase();
    expect(await houseIdOf({ parts: { ...house.parts, databaseUrl: database.url } })).toBe(apps[0]!.houseId);
    await using auditor = await startAuditor(house, { databaseUrl: database.url });
    const kinds = (kind: string): readonly unknown[] =>
      apps.flatMap(({ namespace }) => namesIn(house, namespace, kind));

    expect(linesOf(await auditor.audit())).toHaveLength(2);
    auditor.pass(14);
    await auditor.audit();
    expect(kinds("Deployment")).toHaveLength(2);
    for (const minutes of [2, 16, 60 * 24 * 29]) {
      auditor.pass(minutes);
      await auditor.audit();
      expect(kinds("PersistentVolumeClaim")).toHaveLength(2);
    }
    expect(kinds("Deployment")).toEqual([]);
    const [finding] = await findings(auditor);
    expect(finding).toMatchObject({ action: "kept_for_data", cost_minor: null, requested_cpu_millis: "0" });
  },
);

test(
  "K32 a second house on the cluster audits its own things only: it tells nothing of ours and takes nothing away",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const app = await startApp(house, client);
    await house.workers[0]!.close();
    await using database = await createTestDatabase();
    // Databases of tests are copies of one, and so one house unless told otherwise.
    await using owner = connectAsSuperuser(database.url);
    await owner.drizzle.execute(sql`update house set id = gen_random_uuid()`);
    await using auditor = await startAuditor(house, { databaseUrl: database.url });
    const before = namesIn(house, app.namespace);
    for (const minutes of [0, 16, 16, 60 * 24 * 31]) {
      auditor.pass(minutes);
      const outcome = await auditor.audit();
      expect(outcome.audit).toMatchObject({ isWhole: true, findings: 0, deleted: 0 });
    }
    expect(namesIn(house, app.namespace)).toEqual(before);
    expect(await findings(auditor)).toEqual([]);
  },
);

test("a repair that the cluster refuses is not told as one, and is tried again", { timeout: 120_000 }, async () => {
  await using house = await startHouse();
  await using client = await house.customer();
  const app = await startApp(house, client);
  await house.workers[0]!.close();
  await using auditor = await startAuditor(house);
  const { devcluster } = house.parts;
  await handsOn(devcluster!).erase("Service", app.namespace, "app");
  devcluster!.faults.answer({ verb: "patch", plural: "services" }, "quota");
  const refused = await auditor.audit();
  expect(linesOf(refused)).toEqual([lineOf("missing", { kind: "Service", namespace: app.namespace, name: "app" })]);
  expect(refused.actions).toMatchObject({ repaired: 0 });
  expect(await findings(auditor)).toMatchObject([{ action: "none", acted_at: null }]);
  devcluster!.faults.clear();
  // An app that was just worked on in vain is in flux for a while.
  auditor.pass(6);
  expect(await auditor.audit()).toMatchObject({ actions: { repaired: 1 } });
  expect(namesIn(house, app.namespace, "Service")).toEqual(["app"]);
});

test(
  `in health an audit invents nothing, whatever goes on meanwhile (INVENTORY_SEED=${seed})`,
  {
    timeout: 240_000,
  },
  async () => {
    const random = randomOf(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    await using house = await startHouse();
    await using client = await house.customer();
    await using auditor = await startAuditor(house);
    const { api } = client;
    const apps: App[] = [await startApp(house, client), await startApp(house, client)];
    const attempt = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);
    const actions = [
      async () => void (apps.length < 6 && apps.push(await startApp(house, client))),
      () => attempt(api.instances.stop.mutate({ instanceId: pick(apps).publicId, idempotencyKey: key() })),
      () => attempt(api.instances.start.mutate({ instanceId: pick(apps).publicId, idempotencyKey: key() })),
      () => attempt(api.instances.restart.mutate({ instanceId: pick(apps).publicId, idempotencyKey: key() })),
      () => attempt(endApp(client, pick(apps))),
    ];
    let isOver = false;
    const going = (async () => {
      for (let step = 0; step < 25; step += 1) await pick(actions)();
      isOver = true;
    })();
    let looks = 0;
    while (!isOver) {
      expect(linesOf(await auditor.audit())).toEqual([]);
      looks += 1;
    }
    await going;
    expect(looks).toBeGreaterThan(3);
    const quiet = await until("nothing is in flux", async () => {
      const outcome = await auditor.audit();
      return outcome.audit.unjudged === 0 ? outcome : null;
    });
    expect(linesOf(quiet)).toEqual([]);
    expect(await findings(auditor)).toEqual([]);
  },
);

test(
  "an operator has the house audited, by the api and by the command line; a customer may not, and is told of repairs",
  { timeout: 120_000 },
  async () => {
    await using house = await startHouse();
    await using client = await house.customer();
    const app = await startApp(house, client);
    await execute(
      house,
      sql`update subscriptions set amount_minor = 45000, items = jsonb_set(items, '{0,unitAmountMinor}', '"45000"') where id = ${app.subscriptionId}`,
    );
    await using operator = await operatorOf(house);
    const { inventory } = operator.api.admin;
    await expect(client.api.admin.inventory.audit.mutate()).rejects.toMatchObject({ data: { appCode: "FORBIDDEN" } });

    const asked = await inventory.audit.mutate();
    const healthy = await until("it has finished", async () => {
      const report = await inventory.report.query({ auditId: asked.id });
      return report.audit?.status === "finished" ? report : null;
    });
    expect(healthy).toMatchObject({ audit: { isWhole: true, findings: 0 }, openFindings: 0, costPerDay: [] });
    const agreed = await sewa(house, ["inventory", "audit", "--wait"]);
    expect(agreed).toMatchObject({ code: 0 });
    expect(agreed.stdout).toContain("Rows and cluster agree.");

    const hands = handsOn(house.parts.devcluster!);
    await hands.create("ConfigMap", app.namespace, "guest", { data: {} });
    await execute(house, sql`delete from capacity_holds where instance_id = ${app.instanceId}`);
    const differing = await sewa(house, ["inventory", "audit", "--wait"]);
    expect(differing).toMatchObject({ code: 3 });
    expect(differing.stdout).toMatch(/foreign .*ConfigMap .*guest/);
    expect(differing.stdout).toMatch(/instance_without_hold .* 1500 IDR .* repaired/);
    expect(differing.stdout).toContain("2 findings: 1500 IDR a day, and 1 without a price.");
    const { items } = await inventory.list.query({});
    expect(items.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))).toMatchObject([
      { kind: "foreign", costPerDay: null, instanceId: app.publicId, action: "none" },
      {
        kind: "instance_without_hold",
        subject: { kind: "Instance", name: app.publicId },
        costPerDay: { amountMinor: 1_500n, currency: "IDR" },
        action: "repaired",
      },
    ]);
    expect(await inventory.get.query({ findingId: items[0]!.id })).toEqual(items[0]);
    expect(await sewa(house, ["inventory", "list"])).toMatchObject({ code: 3 });

    await hands.erase("ConfigMap", app.namespace, "guest");
    const after = await sewa(house, ["inventory", "audit", "--wait", "--json"]);
    expect(after).toMatchObject({ code: 0 });
    expect(JSON.parse(after.stdout)).toMatchObject({ openFindings: 0, findings: [], audit: { resolved: 2 } });
    expect((await inventory.list.query({ status: "resolved" })).items).toHaveLength(2);
    const { items: events } = await client.api.events.list.query({});
    expect(events.map(({ type }) => type)).toContain("instance.repaired");
  },
);
