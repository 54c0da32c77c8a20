import { mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Devcluster } from "./devcluster.ts";
import { at, listOf } from "./kube/json.ts";
import { deployment, testCluster } from "./testing/client.ts";

const deployments = "/apis/apps/v1/namespaces/default/deployments";
const pods = "/api/v1/namespaces/default/pods";

function page(cluster: Devcluster, host: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(cluster.ingressUrl);
  return new Promise((resolve, reject) => {
    get({ hostname, port, path: "/", headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    }).on("error", reject);
  });
}

test("an app behind an Ingress answers by its host: unknown, not ready, ready, silent", async () => {
  await using test = await testCluster();
  test.cluster.faults.neverReady("example/app");
  const container = { ports: [{ containerPort: 8080, name: "http" }] };
  await test.apply(`${deployments}/web`, deployment("web", container));
  const service = {
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
  };
  await test.call("POST", "/api/v1/namespaces/default/services", service);
  const backend = { service: { name: "web", port: { number: 80 } } };
  const rules = [{ host: "my.apps.localhost", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
  await test.call("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
    metadata: { name: "web" },
    spec: { rules },
  });
  expect((await page(test.cluster, "other.apps.localhost")).status).toBe(404);
  expect((await page(test.cluster, "my.apps.localhost:8080")).status).toBe(503);
  test.cluster.faults.clear();
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 1);
  const served = await page(test.cluster, "my.apps.localhost:8080");
  expect(served.status).toBe(200);
  expect(served.text).toContain("example/app:1");
  expect(served.text).toContain("development cluster");
  test.cluster.apps.stopAnswering("my.apps.localhost");
  expect((await page(test.cluster, "my.apps.localhost:8080")).status).toBe(502);
  expect((await test.get(`${deployments}/web`)).body).toMatchObject({ status: { availableReplicas: 1 } });
  test.cluster.apps.clear();
  expect((await page(test.cluster, "my.apps.localhost:8080")).status).toBe(200);
});

test("a namespace takes its content with it, pods, claims and volumes included", async () => {
  await using test = await testCluster();
  await test.call("POST", "/api/v1/namespaces", { metadata: { name: "app" } });
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
  const body = deployment("web", { volumeMounts: [{ name: "data", mountPath: "/data" }] }) as {
    spec: { template: { spec: object } };
  };
  Object.assign(body.spec.template.spec, { volumes });
  const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  await test.call("POST", "/api/v1/namespaces/app/persistentvolumeclaims", { metadata: { name: "data" }, spec: claim });
  await test.apply("/apis/apps/v1/namespaces/app/deployments/web", body);
  await test.until(
    "/apis/apps/v1/namespaces/app/deployments/web",
    (answer) => at(answer.body, "status", "availableReplicas") === 1,
  );
  expect(test.cluster.objects("PersistentVolume")).toHaveLength(1);
  await test.call("DELETE", "/api/v1/namespaces/app");
  await test.until("/api/v1/namespaces/app", (answer) => answer.status === 404);
  expect(test.cluster.objects().filter((object) => object.metadata.namespace === "app")).toEqual([]);
  expect(test.cluster.objects("PersistentVolume")).toEqual([]);
});

test("a namespace goes while Jobs run in it, and their pods are not written more often than needed", async () => {
  await using test = await testCluster({ pace: 0.05 });
  await test.call("POST", "/api/v1/namespaces", { metadata: { name: "app" } });
  const jobs = "/apis/batch/v1/namespaces/app/jobs";
  const spec = { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "a:1" }] } } };
  await test.call("POST", jobs, { metadata: { name: "ended" }, spec });
  await test.until(`${jobs}/ended`, (answer) => JSON.stringify(answer.body).includes('"Complete"'));
  await test.call("POST", jobs, { metadata: { name: "running" }, spec });
  await test.until(`${jobs}/running`, (answer) => at(answer.body, "status", "ready") === 1);
  const watch = test.watch("/api/v1/namespaces/app/pods?watch=true");
  await test.call("DELETE", "/api/v1/namespaces/app");
  await test.until("/api/v1/namespaces/app", (answer) => answer.status === 404);
  await watch.until(({ events }) => events.filter(({ type }) => type === "DELETED").length === 2);
  expect(watch.events.length).toBeLessThan(20);
});

test("Recreate never runs an old and a new pod at once", async () => {
  await using test = await testCluster();
  const spec = { strategy: { type: "Recreate" } };
  await test.apply(`${deployments}/web`, deployment("web", {}, spec));
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 1);
  const watch = test.watch(`${pods}?watch=true`);
  await test.apply(`${deployments}/web`, deployment("web", { image: "example/app:2" }, spec));
  await test.until(
    `${deployments}/web`,
    ({ body }) =>
      at(body, "status", "observedGeneration") === 2 &&
      at(body, "status", "updatedReplicas") === 1 &&
      at(body, "status", "availableReplicas") === 1,
  );
  await watch.until(({ events }) => events.some(({ object }) => JSON.stringify(object).includes("example/app:2")));
  const alive = new Set<string>();
  let most = 0;
  for (const { type, object } of watch.events) {
    if (type === "DELETED") alive.delete(object.metadata.uid);
    else alive.add(object.metadata.uid);
    most = Math.max(most, alive.size);
  }
  expect(most).toBe(1);
});

test("pods are spread by what they request and wait when no node has room; a cordoned node takes none", async () => {
  const nodes = [
    { name: "a", role: "worker", cpu: "2", memory: "4Gi" },
    { name: "b", role: "worker", cpu: "2", memory: "4Gi", pool: "small" },
  ] as const;
  await using test = await testCluster({ nodes });
  const container = { resources: { requests: { cpu: "1", memory: "1Gi" } } };
  await test.apply(`${deployments}/web`, deployment("web", container, { replicas: 5 }));
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 4);
  const placed = test.cluster.objects("Pod").map((pod) => at(pod, "spec", "nodeName"));
  expect([placed.filter((node) => node === "a").length, placed.filter((node) => node === "b").length]).toEqual([2, 2]);
  await test.call("PATCH", "/api/v1/nodes/a", { spec: { unschedulable: true } }, "application/merge-patch+json");
  await test.apply(`${deployments}/web`, deployment("web", container, { replicas: 0 }));
  await test.until(pods, (answer) => answer.body.items.length === 0);
  await test.apply(`${deployments}/more`, deployment("more", container, { replicas: 3 }));
  const { body } = await test.until(pods, (answer) =>
    JSON.stringify(answer.body).includes("1 node(s) were unschedulable"),
  );
  expect(body.items.filter((pod) => at(pod, "spec", "nodeName") === "a")).toEqual([]);
  await test.call("PATCH", "/api/v1/nodes/a", { spec: { unschedulable: null } }, "application/merge-patch+json");
  await test.until(`${deployments}/more`, (answer) => at(answer.body, "status", "availableReplicas") === 3);
});

test("a lost node makes its pods unready, and ready again when it comes back", async () => {
  await using test = await testCluster({ nodes: [{ name: "only", role: "worker", cpu: "4", memory: "8Gi" }] });
  await test.apply(`${deployments}/web`, deployment("web"));
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 1);
  test.cluster.faults.setNodeReady("only", false);
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === undefined);
  const { body } = await test.get("/api/v1/nodes/only");
  expect(listOf(at(body, "status", "conditions"))).toContainEqual(
    expect.objectContaining({ type: "Ready", status: "Unknown" }),
  );
  test.cluster.faults.setNodeReady("only", true);
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 1);
});

test("a StatefulSet starts in order, each pod with a claim that outlives it", async () => {
  await using test = await testCluster();
  const labels = { app: "db" };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: "db", image: "example/db:1", volumeMounts: [{ name: "data", mountPath: "/data" }] }] },
  };
  const volumeClaimTemplates = [
    {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  ];
  const body = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db" },
    spec: { replicas: 2, serviceName: "db", selector: { matchLabels: labels }, template, volumeClaimTemplates },
  };
  const path = "/apis/apps/v1/namespaces/default/statefulsets/db";
  const watch = test.watch(`${pods}?watch=true`);
  await test.apply(path, body);
  await test.until(path, (answer) => at(answer.body, "status", "readyReplicas") === 2);
  const added = watch.events.filter(({ type }) => type === "ADDED").map(({ object }) => object.metadata.name);
  expect(added).toEqual(["db-0", "db-1"]);
  await test.call("DELETE", path);
  await test.until(pods, (answer) => answer.body.items.length === 0);
  expect(test.cluster.objects("PersistentVolumeClaim").map((claim) => claim.metadata.name)).toEqual([
    "data-db-0",
    "data-db-1",
  ]);
});

test("objects and token are kept in the state file over a restart, and pods run on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "devcluster-test-"));
  const stateFile = join(folder, "deep", "state.json");
  try {
    let kubeconfig: string;
    let uid: string | undefined;
    {
      await using first = await testCluster({ stateFile });
      await first.apply(`${deployments}/web`, deployment("web"));
      await first.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 1);
      uid = first.cluster.objects("Pod")[0]?.metadata.uid;
      kubeconfig = first.cluster.kubeconfig;
    }
    expect(JSON.parse(await readFile(stateFile, "utf8"))).toMatchObject({ version: 1 });
    await using second = await testCluster({ stateFile });
    const token = (text: string): string | undefined => /token: (.*)/.exec(text)?.[1];
    expect(token(second.cluster.kubeconfig)).toBe(token(kubeconfig));
    expect(second.cluster.objects("Pod").map((pod) => pod.metadata.uid)).toEqual([uid]);
    await second.apply(`${deployments}/web`, deployment("web", { image: "example/app:2" }));
    await second.until(
      `${deployments}/web`,
      ({ body }) =>
        at(body, "status", "observedGeneration") === 2 &&
        at(body, "status", "updatedReplicas") === 1 &&
        at(body, "status", "replicas") === 1,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("two hundred apps are ready soon, and afterwards nothing moves", async () => {
  await using test = await testCluster({
    nodes: [1, 2, 3].map((n) => ({ name: `n${n}`, role: "worker", cpu: "100", memory: "500Gi" })),
  });
  const names = Array.from({ length: 200 }, (_, index) => `app-${index}`);
  for (const name of names) await test.apply(`${deployments}/${name}`, deployment(name));
  const ready = ({ body }: { body: { items: readonly object[] } }): boolean =>
    body.items.length === names.length && body.items.every((item) => at(item, "status", "availableReplicas") === 1);
  const { body } = await test.until(deployments, ready, 20_000);
  const version = body.metadata.resourceVersion;
  const quiet = test.watch(`${pods}?watch=true&resourceVersion=${version}&timeoutSeconds=1`);
  await quiet.until(({ state }) => state === "ended");
  expect(quiet.events).toEqual([]);
});
