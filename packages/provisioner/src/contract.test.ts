/**
 * What a cluster does for us, whichever it is. Runs against the in-process cluster always, and against a real one when
 * SEWA_TEST_KUBECONFIG names its kubeconfig and SEWA_TEST_IMAGE an image with a shell that it can pull.
 */
import { randomUUID } from "node:crypto";
import type { Observation } from "@sewa/core";
import { startDevcluster, type Devcluster } from "@sewa/devcluster";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "./cluster/cluster.ts";
import { connectCluster } from "./cluster/connect.ts";
import { openConnection, type Connection } from "./cluster/connection.ts";
import { collectionPath, objectPath, type Kind } from "./cluster/resources.ts";
import type { Watcher } from "./cluster/watcher.ts";
import { NameTaken } from "./errors.ts";
import type { LiveObject, LivePod } from "./observe/wire.ts";
import { reconcileInstance } from "./reconcile.ts";
import { namespaceName } from "./render/index.ts";
import type { InstanceSpec } from "./render/types.ts";
import { createMemoryStore } from "./testing/memory-store.ts";
import { testApp, testClaim, testImage, testSettings, testSpec, testWorkload } from "./testing/specs.ts";
import { until } from "./testing/until.ts";

const realKubeconfig = process.env["SEWA_TEST_KUBECONFIG"];
const isReal = realKubeconfig !== undefined;
const image = process.env["SEWA_TEST_IMAGE"] ?? testImage;
const missingImage = "registry.invalid/missing:1";
const boundMs = isReal ? 180_000 : 15_000;
const log = { warn: (): void => undefined };

const shell = (script: string): readonly string[] => ["sh", "-c", script];
const serve = shell("trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done");
const ending = { image, command: shell("exit 0") };

interface UniqueObject extends LiveObject {
  readonly metadata: LiveObject["metadata"] & { readonly uid: string };
}

function newSpec(change: Partial<InstanceSpec> = {}): InstanceSpec {
  const instanceId = randomUUID();
  const workload = testWorkload({ image, command: serve });
  return testSpec({
    instanceId,
    host: `app-${instanceId.slice(0, 6)}.apps.example.com`,
    app: testApp({ workloads: [workload], claim: testClaim(ending) }),
    ...change,
  });
}

describe.each(["with a watch", "without a watch"])("a cluster, %s,", (mode) => {
  const store = createMemoryStore();
  const effects: string[] = [];
  const told: string[] = [];
  let devcluster: Devcluster | null = null;
  let cluster: Cluster;
  let raw: Connection;
  let watcher: Watcher | null = null;
  let kubeconfig = "";
  const signal = new AbortController().signal;

  beforeAll(async () => {
    if (!isReal) {
      devcluster = await startDevcluster({ port: 0, pace: 0 });
      devcluster.faults.failImagePull("registry.invalid");
    }
    kubeconfig = realKubeconfig ?? devcluster?.kubeconfig ?? "";
    cluster = connectCluster({
      kubeconfig,
      settings: testSettings,
      log,
      effect: (name, change) => {
        effects.push(name);
        return change();
      },
    });
    raw = openConnection({ kubeconfig });
    if (mode === "with a watch") {
      watcher = cluster.watch(
        (id) => told.push(id),
        () => undefined,
      );
      await watcher.ready();
    }
  });

  afterAll(async () => {
    if (isReal) {
      const namespaces = await cluster.listOwnedNamespaces();
      for (const { instanceId } of namespaces)
        if (instanceId !== null) await cluster.remove(newSpec({ instanceId, phase: "absent" }));
    }
    await watcher?.[Symbol.asyncDispose]();
    await raw[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await devcluster?.stop();
  });

  const get = <T = UniqueObject>(kind: Kind, name: string, spec: InstanceSpec): Promise<T> =>
    raw.json<T>({ method: "GET", path: objectPath(kind, name, namespaceName(spec.instanceId)), what: "get" });
  const list = async <T = UniqueObject>(kind: Kind, spec: InstanceSpec): Promise<readonly T[]> => {
    const path = collectionPath(kind, namespaceName(spec.instanceId));
    return (await raw.json<{ items: readonly T[] }>({ method: "GET", path, what: "list" })).items;
  };
  const patch = (kind: Kind, name: string, spec: InstanceSpec, body: unknown): Promise<unknown> =>
    raw.json({
      method: "PATCH",
      path: objectPath(kind, name, namespaceName(spec.instanceId)),
      query: { fieldManager: "somebody" },
      body,
      contentType: "application/merge-patch+json",
      what: "patch",
    });
  const erase = (kind: Kind, name: string, spec: InstanceSpec): Promise<unknown> =>
    raw.json({ method: "DELETE", path: objectPath(kind, name, namespaceName(spec.instanceId)), what: "delete" });

  /** Reconciles as the worker does, again and again, until what is recorded is as wanted. */
  async function bring(
    spec: InstanceSpec,
    what: string,
    isThere: (seen: Observation) => boolean,
  ): Promise<Observation> {
    store.set(spec);
    return until(
      what,
      async () => {
        await reconcileInstance({ instances: store, cluster }, spec.instanceId, { signal });
        const seen = store.observations(spec.instanceId).at(-1);
        return seen !== undefined && isThere(seen) ? seen : null;
      },
      boundMs,
    );
  }
  const running = (spec: InstanceSpec): Promise<Observation> =>
    bring(spec, "it runs", ({ phase }) => phase === "running");
  const claimed = (spec: InstanceSpec, change: Partial<InstanceSpec>): InstanceSpec => ({
    ...spec,
    ownerClaimed: true,
    generation: spec.generation + 1,
    ...change,
  });

  test("provisions an app, step by step, to an open address", async () => {
    const spec = newSpec();
    const observation = await running(spec);
    expect(observation).toMatchObject({ existence: "present", ownerClaimed: true, reason: null });
    expect(new Set(Object.values(observation.steps))).toEqual(new Set(["done"]));
    expect(observation.pods).toMatchObject([{ workload: "kuma", phase: "Running", ready: true }]);
    expect(observation.nodeName).not.toBeNull();
    const [ingress] = await list("Ingress", spec);
    expect(ingress).toMatchObject({ spec: { rules: [{ host: spec.host }] } });
    const unclaimed = store.observations(spec.instanceId).filter((seen) => !seen.ownerClaimed);
    expect(unclaimed.map(({ steps }) => steps.address)).not.toContain("done");
  });

  test("keeps the address closed until the owner account is claimed", async () => {
    const waiting = testClaim({ image, command: shell("sleep 600") });
    const spec = newSpec();
    const closed = { ...spec, app: { ...spec.app, claim: waiting } };
    await bring(closed, "the claim runs", ({ reason }) => reason === "CLAIM_RUNNING");
    expect(await list("Ingress", spec)).toEqual([]);
    expect(store.observations(spec.instanceId).at(-1)).toMatchObject({ phase: "provisioning", ownerClaimed: false });
  });

  test("suspends an app without touching its volume, and resumes it on the same one", async () => {
    const spec = newSpec();
    await running(spec);
    const before = await get("PersistentVolumeClaim", "data", spec);
    const stopped = claimed(spec, { phase: "stopped" });
    const seen = await bring(stopped, "it is stopped", ({ phase }) => phase === "stopped");
    expect(seen.pods).toEqual([]);
    expect(
      await list<LivePod>("Pod", spec).then((pods) => pods.filter(({ status }) => status?.phase === "Running")),
    ).toEqual([]);
    expect(await list("Ingress", spec)).toHaveLength(1);
    await running(claimed(stopped, { phase: "running" }));
    expect((await get("PersistentVolumeClaim", "data", spec)).metadata.uid).toBe(before.metadata.uid);
  });

  test("replaces the pods once for a restart", async () => {
    const spec = newSpec();
    const before = await running(spec);
    const restart = claimed(spec, { restartRequestedAt: "2026-11-21T08:00:00.000Z" });
    const after = await running(restart);
    expect(after.pods[0]?.name).not.toBe(before.pods[0]?.name);
    expect((await running(restart)).pods).toEqual(after.pods);
  });

  test("resizes an app on the same volume", async () => {
    const spec = newSpec();
    await running(spec);
    const { uid } = (await get("PersistentVolumeClaim", "data", spec)).metadata;
    await running(
      claimed(spec, { limits: { ...spec.limits, cpuRequestMillis: 300, memoryRequestBytes: 300 * 1024 ** 2 } }),
    );
    const pods = await list<{ spec: { containers: { resources: unknown }[] }; status: { phase: string } }>("Pod", spec);
    const live = pods.filter(({ status }) => status.phase === "Running");
    expect(live.map((pod) => pod.spec.containers[0]?.resources)).toMatchObject([
      { requests: { cpu: "300m", memory: "300Mi" } },
    ]);
    expect((await get("PersistentVolumeClaim", "data", spec)).metadata.uid).toBe(uid);
  });

  test("changes no object when nothing is to change, and sends nothing once the watch has seen it", async () => {
    const spec = newSpec();
    await running(spec);
    const done = claimed(spec, { generation: spec.generation });
    await running(done);
    const versions = async (): Promise<unknown> => {
      const kinds: readonly Kind[] = ["ResourceQuota", "NetworkPolicy", "Secret", "Deployment", "Service", "Ingress"];
      const specs = (await Promise.all(kinds.map((kind) => list<LiveObject & { spec?: unknown }>(kind, spec)))).flat();
      return specs.map(({ metadata, spec: content }) => [metadata.name, metadata.generation, content]);
    };
    const before = await versions();
    await cluster.apply(done);
    expect(await versions()).toEqual(before);
    if (watcher === null) return;
    await until("an apply costs no request", async () => {
      effects.length = 0;
      await cluster.apply(done);
      return effects.length === 0;
    });
  });

  test("K26 K27 puts back what somebody changed or deleted, and leaves alone what is theirs", async () => {
    const spec = newSpec();
    await running(spec);
    const done = claimed(spec, {});
    await running(done);
    told.length = 0;
    await patch("Deployment", "kuma", spec, { metadata: { annotations: { theirs: "stays" } }, spec: { replicas: 3 } });
    await erase("Service", "kuma", spec);
    await erase("NetworkPolicy", "default-deny", spec);
    if (watcher !== null) await until("the watch tells", () => told.includes(spec.instanceId));
    await until("all is as it was", async () => {
      await cluster.apply(done);
      const [deployment] = await list<UniqueObject & { spec: { replicas: number } }>("Deployment", spec);
      const names = (await list("NetworkPolicy", spec)).map(({ metadata }) => metadata.name);
      const services = await list("Service", spec);
      return deployment?.spec.replicas === 1 && names.includes("default-deny") && services.length === 1;
    });
    expect((await get("Deployment", "kuma", spec)).metadata.annotations).toMatchObject({ theirs: "stays" });
    await running(done);
  });

  test("removes everything, and says so only when it is gone", async () => {
    const spec = newSpec();
    await running(spec);
    const absent = claimed(spec, { phase: "absent" });
    const seen = await bring(absent, "it is absent", ({ existence }) => existence === "absent");
    expect(seen).toMatchObject({ phase: "absent", steps: { namespace: "done" } });
    const names = (await cluster.listOwnedNamespaces()).map(({ name }) => name);
    expect(names).not.toContain(namespaceName(spec.instanceId));
    await cluster.remove(absent);
    expect(await cluster.observe(absent)).toMatchObject({ existence: "absent" });
  });

  test("K26 makes everything again after somebody deleted the namespace", async () => {
    const spec = newSpec();
    await running(spec);
    const done = claimed(spec, {});
    const { uid } = await get<UniqueObject>("Namespace", namespaceName(spec.instanceId), spec).then(
      ({ metadata }) => metadata,
    );
    await erase("Namespace", namespaceName(spec.instanceId), spec);
    await until("its going is seen", async () => {
      const { existence, phase } = await cluster.observe(done);
      return existence === "absent" || phase === "deleting";
    });
    await bring(done, "another namespace runs", ({ phase }) => phase === "running");
    await until(
      "it is another one",
      async () => {
        await reconcileInstance({ instances: store, cluster }, spec.instanceId, { signal });
        const now = await get("Namespace", namespaceName(spec.instanceId), spec).catch(() => null);
        return (
          now !== null && now.metadata.uid !== uid && store.observations(spec.instanceId).at(-1)?.phase === "running"
        );
      },
      boundMs,
    );
    expect(await list("PersistentVolumeClaim", spec)).toHaveLength(1);
  });

  test("K8 touches nothing of a namespace that is not ours", async () => {
    const spec = newSpec();
    const name = namespaceName(spec.instanceId);
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { theirs: "yes" } } };
    const query = { fieldManager: "somebody" };
    const contentType = "application/apply-patch+yaml";
    await raw.json({ method: "PATCH", path: objectPath("Namespace", name), query, body, contentType, what: "create" });
    const version = (await get("Namespace", name, spec)).metadata.resourceVersion;
    store.set(spec);
    const call = reconcileInstance({ instances: store, cluster }, spec.instanceId, { signal });
    await expect(call).rejects.toBeInstanceOf(NameTaken);
    expect(store.observations(spec.instanceId)).toMatchObject([
      { existence: "unknown", phase: "failed", reason: "NAME_TAKEN" },
    ]);
    await cluster.remove({ ...spec, phase: "absent" });
    expect((await get("Namespace", name, spec)).metadata.resourceVersion).toBe(version);
    await erase("Namespace", name, spec);
  });

  test.each([
    ["IMAGE_PULL_FAILED", testWorkload({ image: missingImage })],
    ["CRASH_LOOP", testWorkload({ image, command: shell("exit 3") })],
    ["POD_SECURITY", testWorkload({ image, command: serve, security: { ...testWorkload().security, runAsUser: 0 } })],
  ])("K29 says %s when that is why an app does not come up", async (reason, workload) => {
    const spec = newSpec({ app: testApp({ workloads: [workload], claim: null }) });
    const seen = await bring(spec, `the reason is ${reason}`, (observation) => observation.reason === reason);
    expect(seen.phase).not.toBe("running");
    expect(seen.message).toMatch(/^[A-Z].*\.$/u);
  });

  test("says UNSCHEDULABLE when no machine has room", async () => {
    const limits = { ...testSpec().limits, cpuRequestMillis: 900_000, cpuLimitMillis: 900_000 };
    const spec = newSpec({ limits });
    const seen = await bring(spec, "the reason is UNSCHEDULABLE", ({ reason }) => reason === "UNSCHEDULABLE");
    expect(seen).toMatchObject({ phase: "provisioning", pods: [{ phase: "Pending", nodeName: null }] });
  });

  test.each(["Deployment", "StatefulSet"] as const)(
    "says QUOTA_EXCEEDED when a %s may not create its pod",
    async (kind) => {
      const workload = testWorkload({ image, command: serve, kind });
      const spec = newSpec({ app: testApp({ workloads: [workload], claim: null }) });
      await running(spec);
      await patch("ResourceQuota", "plan", spec, { spec: { hard: { pods: "0" } } });
      for (const pod of await list("Pod", spec)) await erase("Pod", pod.metadata.name, spec);
      const seen = await until(
        "the quota refuses",
        async () => {
          const look = await cluster.observe(spec);
          return look.reason === "QUOTA_EXCEEDED" ? look : null;
        },
        boundMs,
      );
      expect(seen.phase).toBe("degraded");
      await running(spec);
    },
    boundMs * 3,
  );

  test("runs a StatefulSet through stop and start on the same volume", async () => {
    const workload = testWorkload({ image, command: serve, kind: "StatefulSet" });
    const spec = newSpec({ app: testApp({ workloads: [workload], claim: null }) });
    await running(spec);
    const { uid } = (await get("PersistentVolumeClaim", "data", spec)).metadata;
    await bring(claimed(spec, { phase: "stopped" }), "it is stopped", ({ phase }) => phase === "stopped");
    await running(claimed(spec, { generation: 3 }));
    expect((await get("PersistentVolumeClaim", "data", spec)).metadata.uid).toBe(uid);
  });

  test("runs an app of several parts, with files and more than one volume", async () => {
    const half = { cpu: 0.5, memory: 0.5 };
    const data = { name: "data", mountPath: "/data", share: 0.5 };
    const files = [{ path: "/etc/app/app.conf", content: "mode = fast\n" }];
    const app = testWorkload({ image, command: serve, share: half, volumes: [data], files });
    const rows = { name: "rows", mountPath: "/rows", share: 0.5 };
    const ports = [{ name: "sql", port: 5432 }];
    const sql = testWorkload({
      id: "sql",
      kind: "StatefulSet",
      image,
      command: serve,
      share: half,
      volumes: [rows],
      ports,
    });
    const spec = newSpec({ app: testApp({ workloads: [app, sql], claim: testClaim(ending) }) });
    const seen = await running(spec);
    expect(seen.pods.map(({ workload }) => workload).toSorted()).toEqual(["kuma", "sql"]);
    expect((await list("PersistentVolumeClaim", spec)).map(({ metadata }) => metadata.name).toSorted()).toEqual([
      "data",
      "rows",
    ]);
    expect((await list("Service", spec)).map(({ metadata }) => metadata.name).toSorted()).toEqual(["kuma", "sql"]);
  });

  test("names its version and its machines", async () => {
    expect((await cluster.ping()).version).toMatch(/^v1\./u);
    const nodes = await cluster.nodes();
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes) expect(node.allocatableCpuMillis).toBeGreaterThan(0);
  });

  test("lists the namespaces that carry our labels, with whose they are", async () => {
    const spec = newSpec();
    await cluster.apply(spec);
    const { instanceId, organizationId, subscriptionId } = spec;
    const owned = (await cluster.listOwnedNamespaces()).find((namespace) => namespace.instanceId === instanceId);
    expect(owned).toMatchObject({ organizationId, subscriptionId, isDeleting: false });
  });

  describe.skipIf(isReal)("that can be made to fail", () => {
    test("K28 says NODE_LOST when the app's machine does not answer, and forgets it when it does again", async () => {
      const spec = newSpec();
      const { nodeName } = await running(spec);
      devcluster!.faults.setNodeReady(nodeName!, false);
      const lost = await bring(claimed(spec, {}), "the machine is missed", ({ reason }) => reason === "NODE_LOST");
      expect(lost.phase).toBe("degraded");
      devcluster!.faults.setNodeReady(nodeName!, true);
      await running(claimed(spec, { generation: 3 }));
      // Nothing was made a second time elsewhere.
      for (const kind of ["Deployment", "PersistentVolumeClaim", "Pod"] as const)
        expect((await list(kind, spec)).filter(({ metadata }) => !metadata.name.startsWith("claim-"))).toHaveLength(1);
    });

    test("says CLAIM_FAILED, and keeps the address closed, when the owner account cannot be claimed", async () => {
      devcluster!.faults.failJobs("claim-");
      const spec = newSpec();
      const app = { ...spec.app, claim: testClaim({ image, command: shell("true # to fail") }) };
      const failed = await bring({ ...spec, app }, "the claim fails", ({ reason }) => reason === "CLAIM_FAILED");
      expect(failed).toMatchObject({ phase: "failed", steps: { claim: "failed", pods: "done" } });
      expect(await list("Ingress", spec)).toEqual([]);
      devcluster!.faults.clear();
      devcluster!.faults.failImagePull("registry.invalid");
    });

    test("closes a machine for new pods and opens it again", async () => {
      const [node] = await cluster.nodes();
      await cluster.setSchedulable(node!.name, false);
      expect((await cluster.nodes()).find(({ name }) => name === node!.name)).toMatchObject({ schedulable: false });
      await cluster.setSchedulable(node!.name, true);
      expect((await cluster.nodes()).find(({ name }) => name === node!.name)).toMatchObject({ schedulable: true });
    });

    test("is asked through its ingress whether the app answers", async () => {
      const { host } = new URL(devcluster!.ingressUrl);
      await using asking = connectCluster({ kubeconfig, settings: testSettings, log, ingressAddress: host });
      const spec = newSpec();
      const checks = [{ name: "page", type: "http" as const, url: `https://${spec.host}/` }];
      const asked = { ...spec, app: { ...spec.app, claim: null, healthChecks: checks } };
      store.set(asked);
      const seen = await until("it answers", async () => {
        await reconcileInstance({ instances: store, cluster: asking }, spec.instanceId, { signal });
        const last = store.observations(spec.instanceId).at(-1);
        return last?.phase === "running" ? last : null;
      });
      expect(seen.conditions).toContainEqual({ type: "Healthy", status: "True", reason: null, message: null });
    });

    test("K14 K16 tells of changes after its watches broke and after its history was forgotten", async () => {
      if (watcher === null) return;
      const spec = newSpec();
      await running(spec);
      devcluster!.dropWatches();
      devcluster!.compact();
      await until("the watches broke", () => watcher!.stats().some(({ restarts, expired }) => restarts + expired > 0));
      told.length = 0;
      await patch("Deployment", "kuma", spec, { spec: { replicas: 0 } });
      await until("the change is told", () => told.includes(spec.instanceId));
      expect(await running(claimed(spec, {}))).toMatchObject({ phase: "running" });
    });

    test("that is gone leaves existence unknown, which is recorded", async () => {
      const other = await startDevcluster({ port: 0, pace: 0 });
      await using lost = connectCluster({ kubeconfig: other.kubeconfig, settings: testSettings, log });
      const spec = newSpec();
      store.set(spec);
      await reconcileInstance({ instances: store, cluster: lost }, spec.instanceId, { signal });
      await other.stop();
      const call = reconcileInstance({ instances: store, cluster: lost }, spec.instanceId, { signal });
      await expect(call).rejects.toMatchObject({ name: "ClusterUnreachable" });
      expect(store.observations(spec.instanceId).at(-1)).toMatchObject({
        existence: "unknown",
        reason: "CLUSTER_UNREACHABLE",
      });
    });
  });
});
