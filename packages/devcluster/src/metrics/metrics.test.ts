import { expect, test } from "vitest";
import { at, listOf } from "../kube/json.ts";
import { parseQuantity } from "../kube/quantity.ts";
import { type Answer, deployment, testCluster, type TestCluster } from "../testing/client.ts";

const deployments = "/apis/apps/v1/namespaces/default/deployments";
const root = "/apis/metrics.k8s.io/v1beta1";
const limits = { cpu: "1", memory: "512Mi" };

async function withApps(...names: readonly string[]): Promise<TestCluster> {
  const test = await testCluster();
  for (const name of names) {
    const container = { image: `example/${name}:1`, resources: { limits } };
    await test.apply(`${deployments}/${name}`, deployment(name, container));
    await test.until(`${deployments}/${name}`, ({ body }) => at(body, "status", "availableReplicas") === 1);
  }
  return test;
}

/** Cores and bytes of the only container of a pod's metrics. */
function usageOf(metrics: unknown): { readonly cores: number; readonly bytes: number } {
  const [container] = listOf(at(metrics, "containers"));
  const amount = (text: unknown): number => Number(parseQuantity(text)!.nano) / 1e9;
  return { cores: amount(at(container, "usage", "cpu")), bytes: amount(at(container, "usage", "memory")) };
}

async function untilEqual(ask: () => Promise<unknown[]>): Promise<unknown[]> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answers = await ask();
    if (answers[0] === answers[1]) return answers;
  }
  throw new Error("Every round was another one.");
}

const namesOf = ({ body }: Answer): readonly string[] => body.items.map(({ metadata }) => metadata.name.slice(0, 3));

test("running pods are measured, below their limits, and the same whenever one round is asked for", async () => {
  await using test = await withApps("web");
  const list = await test.get(`${root}/pods`);
  expect(list.headers.get("content-type")).toBe("application/json");
  expect(list.body).toEqual({
    kind: "PodMetricsList",
    apiVersion: "metrics.k8s.io/v1beta1",
    metadata: {},
    items: [
      {
        metadata: {
          name: expect.stringMatching(/^web-/) as string,
          namespace: "default",
          creationTimestamp: expect.any(String) as string,
          labels: expect.objectContaining({ app: "web" }) as object,
        },
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:(00|15|30|45)Z$/) as string,
        window: "15s",
        containers: [
          {
            name: "main",
            usage: {
              cpu: expect.stringMatching(/^\d+n$/) as string,
              memory: expect.stringMatching(/^\d+Ki$/) as string,
            },
          },
        ],
      },
    ],
  });
  const [pod] = list.body.items;
  const { cores, bytes } = usageOf(pod);
  expect(cores).toBeGreaterThan(0.01);
  expect(cores).toBeLessThan(1);
  expect(bytes).toBeGreaterThan(100 * 1024 ** 2);
  expect(bytes).toBeLessThan(512 * 1024 ** 2);
  // A new round may begin between two requests, but not three times.
  const pair = await untilEqual(async () => {
    const one = await test.get(`${root}/namespaces/default/pods/${pod!.metadata.name}`);
    const [same] = (await test.get(`${root}/pods`)).body.items;
    return [at(one.body, "timestamp"), at(same, "timestamp"), at(one.body, "containers"), at(same, "containers")];
  });
  expect(pair[2]).toEqual(pair[3]);
  expect((await test.get(`${root}/namespaces/default/pods/${pod!.metadata.name}`)).body).toMatchObject({
    kind: "PodMetrics",
    apiVersion: "metrics.k8s.io/v1beta1",
  });
});

test("lists are by namespace, label and field, and know no pods that do not run", async () => {
  await using test = await testCluster();
  test.cluster.faults.failImagePull("example/bad");
  for (const name of ["web", "api", "bad"]) {
    await test.apply(`${deployments}/${name}`, deployment(name, { image: `example/${name}:1` }));
    if (name !== "bad")
      await test.until(`${deployments}/${name}`, ({ body }) => at(body, "status", "availableReplicas") === 1);
  }
  expect(namesOf(await test.get(`${root}/pods`)).toSorted()).toEqual(["api", "web"]);
  expect(namesOf(await test.get(`${root}/pods?labelSelector=app%3Dweb`))).toEqual(["web"]);
  expect(namesOf(await test.get(`${root}/namespaces/default/pods?labelSelector=app!%3Dweb`))).toEqual(["api"]);
  expect(namesOf(await test.get(`${root}/namespaces/kube-system/pods`))).toEqual([]);
  const { body } = await test.get("/api/v1/namespaces/default/pods?labelSelector=app%3Dbad");
  const name = body.items[0]!.metadata.name;
  expect((await test.get(`${root}/namespaces/default/pods/${name}`)).body).toMatchObject({
    code: 404,
    reason: "NotFound",
    message: `podmetrics.metrics.k8s.io "default/${name}" not found`,
  });
  expect((await test.get(`${root}/namespaces/default/pods/nobody`)).body).toMatchObject({
    code: 404,
    message: 'pods "nobody" not found',
  });
  expect((await test.get(`${root}/pods?labelSelector=%3D%3D`)).status).toBe(400);
  expect((await test.call("DELETE", `${root}/pods`)).status).toBe(405);
  expect((await test.get(`${root}/volumes`)).status).toBe(404);
});

test("a node is measured with what runs on it, and not at all while it does not answer", async () => {
  await using test = await withApps("web");
  test.cluster.metrics.setUsage("example/web", { cpuMillis: 700, memoryBytes: 2 ** 30 });
  const [pod] = test.cluster.objects("Pod");
  const node = String(at(pod, "spec", "nodeName"));
  const { body } = await test.get(`${root}/nodes`);
  expect(body).toMatchObject({ kind: "NodeMetricsList", apiVersion: "metrics.k8s.io/v1beta1" });
  expect(body.items).toHaveLength(3);
  const own = await test.get(`${root}/nodes/${node}`);
  expect(own.body).toMatchObject({ kind: "NodeMetrics", window: "15s", usage: { cpu: "820000000n" } });

  test.cluster.faults.setNodeReady(node, false);
  expect((await test.get(`${root}/nodes`)).body.items).toHaveLength(2);
  expect((await test.get(`${root}/nodes/${node}`)).body).toMatchObject({
    code: 404,
    message: `nodemetrics.metrics.k8s.io "${node}" not found`,
  });
  expect((await test.get(`${root}/pods`)).body.items).toEqual([]);
});

test("usage is what was set for an image or a pod, the last word counting, until it is cleared", async () => {
  await using test = await withApps("web", "api");
  const { metrics } = test.cluster;
  const of = async (name: string) => {
    const { body } = await test.get(`${root}/pods?labelSelector=app%3D${name}`);
    return usageOf(body.items[0]);
  };
  metrics.setUsage("example/", { cpuMillis: 250, memoryBytes: 64 * 1024 ** 2 });
  metrics.setUsage(/^web-/, { cpuMillis: 1.5 });
  expect(await of("web")).toEqual({ cores: 0.0015, bytes: 64 * 1024 ** 2 });
  expect(await of("api")).toEqual({ cores: 0.25, bytes: 64 * 1024 ** 2 });
  metrics.clear();
  expect((await of("api")).bytes).not.toBe(64 * 1024 ** 2);
});

test("discovery names the group while it is registered", async () => {
  await using test = await testCluster();
  const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const token = /token: "(.*)"/.exec(test.cluster.kubeconfig)![1]!;
  const groups = async (): Promise<readonly unknown[]> =>
    listOf(at((await test.get("/apis")).body, "groups")).filter((group) => at(group, "name") === "metrics.k8s.io");
  const freshness = async (): Promise<readonly unknown[]> => {
    const headers = { authorization: `Bearer ${token}`, accept: aggregated };
    const body: unknown = await (await fetch(`${test.cluster.url}/apis`, { headers })).json();
    return listOf(at(body, "items"))
      .filter((item) => at(item, "metadata", "name") === "metrics.k8s.io")
      .map((item) => at(listOf(at(item, "versions"))[0], "freshness"));
  };
  const version = { groupVersion: "metrics.k8s.io/v1beta1", version: "v1beta1" };
  const group = { name: "metrics.k8s.io", versions: [version], preferredVersion: version };
  expect(await groups()).toEqual([group]);
  expect(await freshness()).toEqual(["Current"]);
  expect((await test.get("/apis/metrics.k8s.io")).body).toEqual({ kind: "APIGroup", apiVersion: "v1", ...group });
  expect(at((await test.get(root)).body, "resources")).toMatchObject([
    { name: "nodes", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ]);

  test.cluster.metrics.setState("unavailable");
  expect(await groups()).toEqual([group]);
  expect(await freshness()).toEqual(["Stale"]);
  test.cluster.metrics.setState("absent");
  expect(await groups()).toEqual([]);
  expect(await freshness()).toEqual([]);
});

test("a metrics-server that does not answer is a 503 in plain text, one that never was a 404, as recorded", async () => {
  await using test = await withApps("web");
  const told = async () => {
    const { status, headers, body } = await test.get(`${root}/pods`);
    return { status, type: headers.get("content-type"), body: body as unknown };
  };
  const type = "text/plain; charset=utf-8";
  test.cluster.metrics.setState("unavailable");
  expect(await told()).toEqual({ status: 503, type, body: "service unavailable\n" });
  test.cluster.metrics.setState("absent");
  expect(await told()).toEqual({ status: 404, type, body: "404 page not found\n" });
  expect((await test.get("/apis/metrics.k8s.io")).status).toBe(404);
  test.cluster.metrics.setState("served");
  expect((await told()).status).toBe(200);
});

test("nobody is told without the token", async () => {
  await using test = await withApps("web");
  expect((await fetch(`${test.cluster.url}${root}/pods`)).status).toBe(403);
});
