import { randomUUID } from "node:crypto";
import { type Devcluster, startDevcluster } from "@sewa/devcluster";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reconcileInstance } from "../reconcile.ts";
import { namespaceName, objectNames } from "../render/names.ts";
import type { InstanceSpec } from "../render/types.ts";
import { startForwarder } from "../testing/forwarder.ts";
import { answer, startHttpServer } from "../testing/http-server.ts";
import { createMemoryStore } from "../testing/memory-store.ts";
import { testSettings, testSpec } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import type { Cluster } from "./cluster.ts";
import { connectCluster } from "./connect.ts";

const log = { warn: (): void => undefined };
const signal = new AbortController().signal;
const { houseId } = testSpec();
const otherHouse = randomUUID();

let devcluster: Devcluster;
const seen: string[] = [];
let forwarder: Awaited<ReturnType<typeof startForwarder>>;
let cluster: Cluster;

beforeAll(async () => {
  devcluster = await startDevcluster({ port: 0, pace: 0 });
  forwarder = await startForwarder(devcluster, (method, url) => seen.push(`${method} ${url.pathname}${url.search}`));
  cluster = connectCluster({ kubeconfig: forwarder.kubeconfig, settings: testSettings, log });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await forwarder[Symbol.asyncDispose]();
  await devcluster.stop();
});

/** An app that runs and is claimed, as its rows would say by then. */
async function running(change: Partial<InstanceSpec> = {}): Promise<InstanceSpec> {
  const spec = testSpec({ instanceId: randomUUID(), ...change });
  const instances = createMemoryStore();
  instances.set(spec);
  await until("it runs", async () => {
    await reconcileInstance({ instances, cluster }, spec.instanceId, { signal });
    return instances.observations(spec.instanceId).at(-1)?.phase === "running";
  });
  return { ...spec, ownerClaimed: true };
}

async function hand(method: string, path: string, body?: unknown): Promise<void> {
  const token = /token: "(.*)"/u.exec(devcluster.kubeconfig)?.[1] ?? "";
  const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const response = await fetch(`${devcluster.url}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": contentType },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
}

const core = (spec: InstanceSpec): string => `api/v1/namespaces/${namespaceName(spec.instanceId)}`;
const apps = (spec: InstanceSpec): string => `apis/apps/v1/namespaces/${namespaceName(spec.instanceId)}`;
const named = (refs: readonly { readonly kind: string; readonly name: string }[]): readonly string[] =>
  refs.map(({ kind, name }) => `${kind} ${name}`);

async function differences(by: Cluster, spec: InstanceSpec) {
  const { missing, changed } = await by.compare(spec, await by.inventory(houseId));
  return { missing: named(missing), changed: named(changed), fields: changed.flatMap(({ fields }) => fields) };
}

const nothing = { missing: [], changed: [], fields: [] };

test("an app as it was applied differs in nothing, for who applied it and for a process that knows nothing", async () => {
  const spec = await running();
  await using stranger = connectCluster({ kubeconfig: forwarder.kubeconfig, settings: testSettings, log });
  expect(await differences(cluster, spec)).toEqual(nothing);
  expect(await differences(stranger, spec)).toEqual(nothing);
  expect(await differences(stranger, { ...spec, requestId: "later" })).toEqual(nothing);
});

test("what was compared once is compared by its hash, and only the Secret is asked about again", async () => {
  const spec = await running();
  await using stranger = connectCluster({ kubeconfig: forwarder.kubeconfig, settings: testSettings, log });
  await differences(stranger, spec);
  const inventory = await stranger.inventory(houseId);
  seen.length = 0;
  await stranger.compare(spec, inventory);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatch(/^PATCH \/api\/v1\/namespaces\/sewa-[^/]+\/secrets\/secrets\?.*dryRun=All/u);
});

test("every field of ours that somebody changed is told by its path, and theirs are left alone", async () => {
  const spec = await running();
  await hand("PATCH", `${apps(spec)}/deployments/kuma`, {
    metadata: { annotations: { theirs: "yes" }, labels: { "their.example/label": "yes" } },
  });
  expect(await differences(cluster, spec)).toEqual(nothing);
  await hand("PATCH", `${apps(spec)}/deployments/kuma`, { spec: { replicas: 5 } });
  await hand("PATCH", `${core(spec)}/services/kuma`, { metadata: { labels: { "sewa.dev/organization": null } } });
  expect(await differences(cluster, spec)).toEqual({
    missing: [],
    changed: ["Deployment kuma", "Service kuma"],
    fields: ["spec.replicas", "metadata.labels[sewa.dev/organization]"],
  });
});

describe("a Secret, which cannot be read,", () => {
  test.each([
    ["another value", { data: { adminPassword: Buffer.from("spoilt").toString("base64") } }, true],
    ["a key taken away", { data: { adminPassword: null } }, true],
    ["a label taken away", { metadata: { labels: { "sewa.dev/instance": null } } }, true],
    ["somebody's own key", { data: { theirs: Buffer.from("x").toString("base64") } }, false],
  ])("is told apart with %s", async (_, change, isChanged) => {
    const spec = await running();
    await hand("PATCH", `${core(spec)}/secrets/${objectNames.secret}`, change);
    seen.length = 0;
    const found = await differences(cluster, spec);
    expect(found.changed).toEqual(isChanged ? [`Secret ${objectNames.secret}`] : []);
    expect(seen.filter((line) => line.startsWith("GET") && line.includes("/secrets"))).toEqual([]);
  });

  test("is well again as soon as it was put right, although the server has just refused the same question", async () => {
    const spec = await running();
    await hand("PATCH", `${core(spec)}/secrets/${objectNames.secret}`, { data: { adminPassword: null } });
    expect((await differences(cluster, spec)).changed).toEqual([`Secret ${objectNames.secret}`]);
    cluster.forget(spec.instanceId);
    await cluster.apply(spec);
    expect(await differences(cluster, spec)).toEqual(nothing);
  });

  test("is missed when it is gone, and nothing is written to find that out", async () => {
    const spec = await running();
    await hand("DELETE", `${core(spec)}/secrets/${objectNames.secret}`);
    seen.length = 0;
    expect(await differences(cluster, spec)).toEqual({ ...nothing, missing: [`Secret ${objectNames.secret}`] });
    expect(seen.filter((line) => !line.startsWith("GET") && !line.includes("dryRun=All"))).toEqual([]);
    expect(
      devcluster.objects("Secret").filter(({ metadata }) => metadata.namespace === namespaceName(spec.instanceId)),
    ).toEqual([]);
  });
});

test("without its namespace everything is missing, which is told as one thing", async () => {
  const spec = testSpec({ instanceId: randomUUID(), ownerClaimed: true });
  expect(await differences(cluster, spec)).toEqual({
    ...nothing,
    missing: [`Namespace ${namespaceName(spec.instanceId)}`],
  });
});

test("an inventory names what is ours anywhere and what is others' in our namespaces, and nothing else", async () => {
  const spec = await running();
  const labels = { "app.kubernetes.io/managed-by": "sewa" };
  await hand("POST", "api/v1/namespaces/default/configmaps", { metadata: { name: "far", labels } });
  await hand("POST", "api/v1/namespaces/default/configmaps", { metadata: { name: "theirs" } });
  await hand("POST", `${core(spec)}/configmaps`, { metadata: { name: "guest" } });
  const { objects, unread } = await cluster.inventory(houseId);
  expect(unread).toEqual([]);
  const lines = objects.map(({ kind, name, isOurs, homeId }) => `${kind} ${name} ${isOurs} ${homeId === null}`);
  expect(lines).toContain("ConfigMap far true true");
  expect(lines).toContain("ConfigMap guest false false");
  expect(lines.filter((line) => /theirs|kube-root-ca|ServiceAccount default|^Pod|^Secret|claim-/u.test(line))).toEqual(
    [],
  );
  const own = objects.filter(({ homeId, kind }) => homeId === spec.instanceId && kind === "Deployment");
  expect(own).toMatchObject([{ name: "kuma", requests: { cpuMillis: 250, memoryBytes: 256 * 1024 ** 2 } }]);
});

test("a kind that cannot be read is named, and the others are read all the same", async () => {
  await using server = await startHttpServer((request, response) => {
    if (request.url.includes("/limitranges")) return answer(response, 403, { kind: "Status", message: "forbidden" });
    if (request.url.includes("/jobs")) return answer(response, 500, { kind: "Status", message: "broken" });
    const items = request.url.includes("/api/v1/namespaces?")
      ? [
          {
            metadata: {
              name: namespaceName(randomUUID()),
              uid: "1",
              labels: { "app.kubernetes.io/managed-by": "sewa" },
            },
          },
        ]
      : [];
    answer(response, 200, { metadata: { resourceVersion: "1" }, items });
  });
  await using partly = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  const { objects, unread } = await partly.inventory(houseId);
  expect(unread.toSorted()).toEqual(["Job", "LimitRange"]);
  expect(objects.some(({ kind }) => kind === "Namespace")).toBe(true);
});

test("what another house has is told as that house's, and neither counted nor weighed as ours", async () => {
  const theirs = await running({ houseId: otherHouse });
  const unsigned = await running();
  await hand("PATCH", core(unsigned), {
    metadata: { labels: { "sewa.dev/house": null } },
  });
  const far = { name: "far-off", labels: { "app.kubernetes.io/managed-by": "sewa", "sewa.dev/house": otherHouse } };
  await hand("POST", "api/v1/namespaces/default/configmaps", { metadata: far });
  const { objects, hashes } = await cluster.inventory(houseId);
  const told = (id: string) => objects.filter(({ homeId }) => homeId === id);
  expect(told(theirs.instanceId).length).toBeGreaterThan(5);
  expect(told(theirs.instanceId).every(({ isOurs, house }) => !isOurs && house === "other")).toBe(true);
  expect(told(theirs.instanceId).every(({ requests }) => requests.cpuMillis + requests.storageBytes === 0)).toBe(true);
  expect([...hashes.keys()].some((path) => path.includes(theirs.instanceId))).toBe(false);
  expect(objects.some(({ name }) => name === "far-off")).toBe(false);
  expect(told(unsigned.instanceId).find(({ kind }) => kind === "Namespace")).toMatchObject({
    isOurs: true,
    house: "none",
  });
});

describe("what is erased", () => {
  const find = async (kind: string, name: string) => {
    const { objects } = await cluster.inventory(houseId);
    return objects.find((object) => object.kind === kind && object.name === name)!;
  };

  test("is the object that was looked at and no other of its name, and only while it is ours", async () => {
    const spec = await running();
    const namespace = await find("Namespace", namespaceName(spec.instanceId));
    expect(await cluster.erase(houseId, { ...namespace, uid: randomUUID() })).toBe(false);
    const path = `api/v1/namespaces/${namespace.name}`;
    await hand("PATCH", path, { metadata: { labels: { "app.kubernetes.io/managed-by": null } } });
    expect(await cluster.erase(houseId, namespace)).toBe(false);
    expect(await cluster.eraseRunning(houseId, namespace)).toBe(0);
    await hand("PATCH", path, { metadata: { labels: { "app.kubernetes.io/managed-by": "sewa" } } });
    expect(await cluster.erase(houseId, namespace)).toBe(true);
    expect(await cluster.erase(houseId, namespace)).toBe(false);
  });

  test("is nothing of another house, neither its namespace nor what it has in one of ours", async () => {
    const theirs = await running({ houseId: otherHouse });
    const { objects } = await cluster.inventory(otherHouse);
    const all = objects.filter(({ homeId }) => homeId === theirs.instanceId);
    const namespace = all.find(({ kind }) => kind === "Namespace")!;
    expect(await cluster.erase(houseId, namespace)).toBe(false);
    expect(
      await cluster.erase(
        houseId,
        all.find(({ kind }) => kind === "Deployment")!,
      ),
    ).toBe(false);
    expect(await cluster.eraseRunning(houseId, namespace)).toBe(0);
    const ours = await running();
    await hand("PATCH", `${core(ours)}/services/kuma`, { metadata: { labels: { "sewa.dev/house": otherHouse } } });
    await cluster.eraseRunning(houseId, await find("Namespace", namespaceName(ours.instanceId)));
    const left = (await cluster.inventory(houseId)).objects.filter(({ homeId }) => homeId === ours.instanceId);
    expect(named(left)).toContain("Service kuma");
    expect(named(left)).not.toContain("Deployment kuma");
  });

  test("is never a volume, nor what restricts, by itself", async () => {
    const spec = await running();
    const { objects } = await cluster.inventory(houseId);
    const contents = objects.filter(({ homeId, kind }) => homeId === spec.instanceId && kind !== "Namespace");
    for (const kind of ["PersistentVolumeClaim", "NetworkPolicy", "ResourceQuota", "ServiceAccount"])
      await expect(
        cluster.erase(
          houseId,
          contents.find((object) => object.kind === kind)!,
        ),
      ).rejects.toThrow("never deleted");
  });

  test("is what runs, while the volume and what keeps others out stay", async () => {
    const spec = await running();
    const before = await cluster.inventory(houseId);
    const namespace = before.objects.find(({ homeId, kind }) => homeId === spec.instanceId && kind === "Namespace")!;
    expect(await cluster.eraseRunning(houseId, namespace)).toBeGreaterThan(2);
    await until("its pods are gone", () =>
      devcluster.objects("Pod").every(({ metadata }) => metadata.namespace !== namespace.name),
    );
    const { objects } = await cluster.inventory(houseId);
    const kinds = objects.filter(({ homeId }) => homeId === spec.instanceId).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(
      new Set(["Namespace", "PersistentVolumeClaim", "NetworkPolicy", "ResourceQuota", "LimitRange", "ServiceAccount"]),
    );
  });
});

test("what was forgotten is sent again, although the watch has seen it unchanged", async () => {
  const effects: string[] = [];
  await using watching = connectCluster({
    kubeconfig: devcluster.kubeconfig,
    settings: testSettings,
    log,
    resyncMs: 3_600_000,
    effect: (name, change) => {
      effects.push(name);
      return change();
    },
  });
  const spec = await running();
  await watching
    .watch(
      () => undefined,
      () => undefined,
    )
    .ready();
  await until("an apply costs no request", async () => {
    effects.length = 0;
    await watching.apply(spec);
    return effects.length === 0;
  });
  watching.forget(spec.instanceId);
  await watching.apply(spec);
  expect(effects).toContain("apply:Secret");
  expect(effects.length).toBeGreaterThan(12);
});
