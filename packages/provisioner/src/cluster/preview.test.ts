import { randomUUID } from "node:crypto";
import type { Preview } from "@sewa/core";
import { startDevcluster, type Devcluster } from "@sewa/devcluster";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InvalidObject, QuotaRefused } from "../errors.ts";
import { namespaceName } from "../render/index.ts";
import { canonicalJson } from "../render/hash.ts";
import type { InstanceSpec } from "../render/types.ts";
import { arbitrarySpec } from "../testing/arbitrary-spec.ts";
import { startForwarder } from "../testing/forwarder.ts";
import { testApp, testSettings, testSpec, testWorkload } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import type { Cluster } from "./cluster.ts";
import { connectCluster } from "./connect.ts";
import { openConnection, type Connection } from "./connection.ts";
import { objectPath, type Kind } from "./resources.ts";

const log = { warn: (): void => undefined };
const mib = 2 ** 20;
let devcluster: Devcluster;
let raw: Connection;
let cluster: Cluster;
/** On storage that can grow. */
let growing: Cluster;

beforeAll(async () => {
  devcluster = await startDevcluster({ port: 0, pace: 0 });
  const { kubeconfig } = devcluster;
  raw = openConnection({ kubeconfig });
  cluster = connectCluster({ kubeconfig, settings: testSettings, log });
  growing = connectCluster({ kubeconfig, settings: { ...testSettings, storageClassName: "growing" }, log });
  await raw.json({
    method: "PATCH",
    path: "/apis/storage.k8s.io/v1/storageclasses/growing",
    query: { fieldManager: "operator" },
    body: {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "growing" },
      provisioner: "rancher.io/local-path",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    },
    contentType: "application/apply-patch+yaml",
    what: "apply StorageClass",
  });
});
afterAll(async () => {
  await Promise.all([cluster, growing, raw].map((closable) => closable?.[Symbol.asyncDispose]()));
  await devcluster?.stop();
});

function newSpec(change: Partial<InstanceSpec> = {}): InstanceSpec {
  return testSpec({ instanceId: randomUUID(), ownerClaimed: true, ...change });
}

async function bring(to: InstanceSpec, on = cluster): Promise<InstanceSpec> {
  await on.apply(to);
  await until(`it is ${to.phase}`, async () => (await on.observe(to)).phase === to.phase, 15_000);
  return to;
}

const after = (now: InstanceSpec, change: Partial<InstanceSpec>): InstanceSpec => ({
  ...now,
  generation: now.generation + 1,
  ...change,
});
const lines = ({ objects }: Preview): readonly string[] =>
  objects.map(({ kind, name, action }) => `${action} ${kind} ${name ?? ""}`.trimEnd()).toSorted();

const madeByOthers = new Set(["Event", "Pod", "ReplicaSet", "Endpoints", "EndpointSlice"]);

/** Content of the declared objects of an instance, by kind and name: what they ask for, labels, and our annotations. */
function world({ instanceId }: InstanceSpec): ReadonlyMap<string, string> {
  const namespace = namespaceName(instanceId);
  const own = devcluster
    .objects()
    .filter(({ kind, metadata }) => metadata.labels?.["sewa.dev/instance"] === instanceId && !madeByOthers.has(kind));
  return new Map(
    own.map(({ apiVersion: _version, kind, metadata, ...rest }) => {
      const { status: _status, ...content } = rest as Readonly<Record<string, unknown>>;
      const ours = Object.entries(metadata.annotations ?? {}).filter(
        ([key]) => key.startsWith("sewa.dev/") && !/generation|request-id/u.test(key),
      );
      const name = metadata.name === namespace ? "" : ` ${metadata.name}`;
      return [`${kind}${name}`, canonicalJson([content, metadata.labels, Object.fromEntries(ours), metadata.uid])];
    }),
  );
}

function difference(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  const keys = [...new Set([...before.keys(), ...now.keys()])];
  const actionOf = (key: string): string | null => {
    if (!before.has(key)) return "created";
    if (!now.has(key)) return "deleted";
    return before.get(key) === now.get(key) ? null : "changed";
  };
  return keys
    .flatMap((key) => {
      const action = actionOf(key);
      return action === null ? [] : [`${action} ${key}`];
    })
    .toSorted();
}

test("a plan writes nothing, and planning nothing new finds nothing", async () => {
  const now = await bring(newSpec());
  const before = world(now);
  const first = await cluster.preview({ now, planned: after(now, {}) });
  expect(first).toMatchObject({ objects: [], volumes: [], refusals: [] });
  const larger = after(now, { limits: { ...now.limits, memoryLimitBytes: 1024 * mib } });
  const second = await cluster.preview({ now, planned: larger });
  expect(second.worldHash).toBe(first.worldHash);
  expect(world(now)).toEqual(before);
});

test("what asked for the last change is no part of the world: its number goes with the next look", async () => {
  const now = await bring(newSpec({ requestId: "req-1" }));
  const during = await cluster.preview({ now, planned: after(now, {}) });
  const { requestId: _requestId, ...settled } = now;
  await cluster.apply(settled);
  const later = await cluster.preview({ now: settled, planned: after(settled, {}) });
  expect(later.worldHash).toBe(during.worldHash);
});

test("a namespace of somebody else is left alone, and the plan says that it cannot be", async () => {
  const theirs = await bring(newSpec());
  const now = { ...theirs, houseId: randomUUID() };
  const preview = await cluster.preview({ now, planned: after(now, {}) });
  expect(preview).toMatchObject({
    objects: [],
    volumes: [],
    refusals: [{ kind: "Namespace", name: namespaceName(now.instanceId), reason: "OBJECT_REFUSED" }],
  });
});

test("a larger plan is told by its fields, without values, and with what restarts", async () => {
  const now = await bring(newSpec());
  const planned = after(now, { limits: { ...now.limits, memoryRequestBytes: 300 * mib } });
  const { objects } = await cluster.preview({ now, planned });
  const memory = "spec.template.spec.containers[kuma].resources.requests.memory";
  expect(objects).toEqual([
    {
      kind: "ResourceQuota",
      name: "plan",
      action: "changed",
      fields: ["spec.hard[requests.memory]"],
      isRestarting: false,
    },
    { kind: "Deployment", name: "kuma", action: "changed", fields: [memory], isRestarting: true },
  ]);
});

test("a secret is told by its key, and its value stands nowhere", async () => {
  const now = await bring(newSpec());
  const planned = after(now, { secrets: { adminPassword: "another horse" } });
  const preview = await cluster.preview({ now, planned });
  expect(preview.objects).toMatchObject([
    { kind: "Secret", name: "secrets", fields: ["data.adminPassword"] },
    { kind: "Deployment", isRestarting: true },
  ]);
  const told = JSON.stringify(preview);
  for (const value of ["another horse", now.secrets["adminPassword"] ?? ""])
    for (const form of [value, Buffer.from(value).toString("base64")]) expect(told).not.toContain(form);
});

test("what a newer version no longer has goes, its volume stays, and the plan said so", async () => {
  const extra = testWorkload({
    id: "cache",
    kind: "StatefulSet",
    volumes: [{ name: "cache", mountPath: "/cache", share: 0.5 }],
    files: [{ path: "/etc/cache.conf", content: "size 1" }],
    share: { cpu: 0.5, memory: 0.5 },
  });
  const main = testWorkload({
    volumes: [{ name: "data", mountPath: "/data", share: 0.5 }],
    share: { cpu: 0.5, memory: 0.5 },
  });
  const now = await bring(newSpec({ app: testApp({ workloads: [main, extra] }) }));
  const claims = (): readonly string[] =>
    devcluster
      .objects("PersistentVolumeClaim")
      .filter(({ metadata }) => metadata.namespace === namespaceName(now.instanceId))
      .map(({ metadata }) => `${metadata.name} ${metadata.uid}`);
  const [volumes, before] = [claims(), world(now)];
  const planned = after(now, { app: testApp({ workloads: [main] }) });

  const preview = await cluster.preview({ now, planned });

  expect(lines(preview)).toEqual(
    expect.arrayContaining(["deleted ConfigMap files-cache", "deleted Service cache", "deleted StatefulSet cache"]),
  );
  expect(preview.volumes).toEqual([{ name: "cache", sizeBytes: 512 * mib, fate: "unmounted" }]);
  await bring(planned);
  expect(difference(before, world(now))).toEqual(lines(preview));
  expect(claims()).toEqual(volumes);
});

test("a removal lists everything that is there, the size of each volume, and the secrets", async () => {
  const now = await bring(newSpec());
  const before = world(now);
  const preview = await cluster.preview({ now, planned: after(now, { phase: "absent" }) });
  expect(preview.volumes).toEqual([{ name: "data", sizeBytes: 2 ** 30, fate: "deleted" }]);
  await cluster.remove(now);
  await until("nothing is left", () => world(now).size === 0, 15_000);
  expect(difference(before, world(now))).toEqual(lines(preview));
});

test("a removal of what never was there has nothing to tell", async () => {
  const now = newSpec({ phase: "absent" });
  expect(await cluster.preview({ now, planned: now })).toMatchObject({ objects: [], volumes: [], refusals: [] });
});

const larger = (now: InstanceSpec): InstanceSpec =>
  after(now, { limits: { ...now.limits, storageBytes: 2 * now.limits.storageBytes } });

test("storage that cannot grow is known before anything is done, and so is storage that would shrink", async () => {
  const now = await bring(newSpec());
  const claim = { kind: "PersistentVolumeClaim", name: "data", reason: "VOLUME_CANNOT_GROW" };
  expect((await cluster.preview({ now, planned: larger(now) })).refusals).toEqual([claim]);
  await expect(cluster.apply(larger(now))).rejects.toThrow(InvalidObject);
  const smaller = after(now, { limits: { ...now.limits, storageBytes: now.limits.storageBytes / 2 } });
  expect((await cluster.preview({ now, planned: smaller })).refusals).toEqual([claim]);
});

test("storage that can grow grows as planned, on the same volume", async () => {
  const now = await bring(newSpec(), growing);
  const before = world(now);
  const preview = await growing.preview({ now, planned: larger(now) });
  expect(preview.refusals).toEqual([]);
  expect(lines(preview)).toEqual(["changed PersistentVolumeClaim data", "changed ResourceQuota plan"]);
  await bring(larger(now), growing);
  expect(difference(before, world(now))).toEqual(lines(preview));
});

test.each([
  ["a label of a Deployment", "Deployment", "kuma", { metadata: { labels: { touched: "yes" } } }],
  ["replicas", "Deployment", "kuma", { spec: { replicas: 3 } }],
  ["a network rule", "NetworkPolicy", "default-deny", { spec: { policyTypes: ["Egress"] } }],
  ["the quota", "ResourceQuota", "plan", { spec: { hard: { pods: "9" } } }],
] as const)("%s that was changed by hand is another world", async (_, kind, name, body) => {
  const now = await bring(newSpec());
  const planned = after(now, {});
  const { worldHash } = await cluster.preview({ now, planned });
  await raw.json({
    method: "PATCH",
    path: objectPath(kind as Kind, name, namespaceName(now.instanceId)),
    query: { fieldManager: "somebody" },
    body,
    contentType: "application/merge-patch+json",
    what: "patch",
  });
  expect((await cluster.preview({ now, planned })).worldHash).not.toBe(worldHash);
});

test("what only happens to an app, as a pod that is lost, is the same world", async () => {
  const now = await bring(newSpec());
  const { worldHash } = await cluster.preview({ now, planned: now });
  const namespace = namespaceName(now.instanceId);
  const pod = devcluster.objects("Pod").find(({ metadata }) => metadata.namespace === namespace);
  await raw.json({ method: "DELETE", path: objectPath("Pod", pod!.metadata.name, namespace), what: "delete" });
  await until("another pod runs", async () => {
    const again = devcluster.objects("Pod").find(({ metadata }) => metadata.namespace === namespace);
    return (
      again !== undefined &&
      again.metadata.uid !== pod!.metadata.uid &&
      (await cluster.observe(now)).phase === "running"
    );
  });
  expect((await cluster.preview({ now, planned: now })).worldHash).toBe(worldHash);
});

test("it asks in parallel, and only for what is the instance's own", async () => {
  const now = await bring(newSpec());
  const seen: string[] = [];
  await using server = await startForwarder(devcluster, (method, url) =>
    seen.push(`${method} ${url.pathname}${url.searchParams.get("dryRun") === "All" ? " dry" : ""}`),
  );
  await using other = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  await other.preview({ now, planned: larger(now) });
  expect(seen.filter((line) => line.startsWith("PATCH") && !line.endsWith(" dry"))).toEqual([]);
  expect(seen.filter((line) => !line.includes(namespaceName(now.instanceId)))).toEqual([]);
  expect(seen.length).toBeLessThan(40);
});

const isRefusal = (error: unknown): boolean => error instanceof InvalidObject || error instanceof QuotaRefused;

test("a volume in the place of another is refused: it would begin empty, beside the one with the data", async () => {
  const now = await bring(newSpec());
  const volumes = [{ name: "fresh", mountPath: "/app/data", share: 1 }];
  const planned = after(now, { app: testApp({ workloads: [testWorkload({ volumes })] }) });
  const preview = await cluster.preview({ now, planned });
  expect(preview.volumes).toMatchObject([{ name: "data", fate: "unmounted" }]);
  expect(preview.refusals).toEqual([{ kind: "PersistentVolumeClaim", name: "fresh", reason: "OBJECT_REFUSED" }]);
  await expect(cluster.apply(planned)).rejects.toSatisfy(isRefusal);
});

const runnable = fc.record({
  cpu: fc.integer({ min: 50, max: 400 }),
  memory: fc.integer({ min: 64, max: 512 }),
  storage: fc.integer({ min: 1, max: 3 }),
});
const change = fc.record({
  spec: arbitrarySpec,
  other: arbitrarySpec,
  limits: fc.tuple(runnable, runnable),
  keepsApp: fc.boolean(),
});

test(
  "for any change, what the plan lists is exactly what the world then shows; what it says is refused is refused",
  { timeout: 300_000 },
  async () => {
    const limitsOf = ({ cpu, memory, storage }: { cpu: number; memory: number; storage: number }) => ({
      cpuRequestMillis: cpu,
      cpuLimitMillis: 2 * cpu,
      memoryRequestBytes: memory * mib,
      memoryLimitBytes: 2 * memory * mib,
      storageBytes: storage * 2 ** 30,
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ spec, other, limits, keepsApp }) => {
        const instanceId = randomUUID();
        const host = `x-${instanceId.slice(0, 6)}.apps.example.com`;
        const start = {
          ...spec,
          instanceId,
          host,
          phase: "running" as const,
          ownerClaimed: true,
          limits: limitsOf(limits[0]),
        };
        // Any spec may be asked for, but not every one begins: two ports of one number are none.
        fc.pre(
          await growing.apply(start).then(
            () => true,
            (error) => !isRefusal(error),
          ),
        );
        const now = await bring(start, growing);
        const before = world(now);
        const { phase, restartRequestedAt, secrets } = other;
        const app = keepsApp ? now.app : other.app;
        const planned = after(now, { phase, restartRequestedAt, secrets, app, limits: limitsOf(limits[1]) });

        const preview = await growing.preview({ now, planned });

        const isPossible = preview.refusals.length === 0;
        const applied = await (isPossible ? bring(planned, growing) : growing.apply(planned)).then(
          () => true,
          (error) => (isRefusal(error) ? false : Promise.reject(error)),
        );
        // What is refused in the middle is done up to there, so only the whole is compared.
        const done = isPossible ? difference(before, world(now)) : null;
        expect({ applied, done }).toEqual({ applied: isPossible, done: isPossible ? lines(preview) : null });
        await growing.remove(planned);
      }),
      { numRuns: 25 },
    );
  },
);
