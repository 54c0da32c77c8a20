import { startDevcluster } from "@sewa/devcluster";
import { expect, test } from "vitest";
import { labelKeys, namespaceName, renderManifests } from "../render/index.ts";
import { catalogSpec } from "../render/testing/catalog-spec.ts";
import { startForwarder } from "../testing/forwarder.ts";
import { testSettings, testSpec } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import { connectCluster } from "./connect.ts";

const log = { warn: (): void => undefined };
const spec = testSpec({ ownerClaimed: true });

test("a watched instance that is as desired costs no request at all, neither to apply nor to observe", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const seen: string[] = [];
  await using server = await startForwarder(devcluster, (method, url) => seen.push(`${method} ${url.pathname}`));
  await using cluster = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  await using watcher = cluster.watch(
    () => undefined,
    () => undefined,
  );
  await watcher.ready();
  const pass = async (): Promise<string> => {
    await cluster.apply(spec);
    return (await cluster.observe(spec)).phase;
  };
  await until("it runs and the watch has seen it", async () => {
    seen.length = 0;
    return (await pass()) === "running" && seen.length === 0;
  });
  expect(await pass()).toBe("running");
  expect(seen).toEqual([]);
});

test("another request changes the namespace and the workload once, replaces no pod, and then costs nothing again", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const seen: string[] = [];
  await using server = await startForwarder(devcluster, (method, url) => seen.push(`${method} ${url.pathname}`));
  await using cluster = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  await using watcher = cluster.watch(
    () => undefined,
    () => undefined,
  );
  await watcher.ready();
  const settled = (requestId: string): Promise<unknown> =>
    until("it runs and nothing is left to do", async () => {
      const before = seen.length;
      await cluster.apply({ ...spec, requestId });
      return (await cluster.observe(spec)).phase === "running" && seen.length === before;
    });
  const pods = (): readonly unknown[] => devcluster.objects("Pod").map(({ metadata }) => metadata.uid);
  await settled("request-one");
  const before = pods();
  expect(before).toHaveLength(1);

  seen.length = 0;
  await settled("request-two");
  const namespace = `/api/v1/namespaces/${namespaceName(spec.instanceId)}`;
  expect(seen.filter((request) => !request.startsWith("GET"))).toEqual([
    `PATCH ${namespace}`,
    `PATCH ${namespace.replace("/api/v1", "/apis/apps/v1")}/deployments/kuma`,
  ]);
  expect(pods()).toEqual(before);
  const labelled = devcluster
    .objects()
    .filter(({ metadata }) => metadata.labels?.[labelKeys.requestId] === "request-two");
  expect(labelled.map(({ kind }) => kind).toSorted()).toEqual(["Deployment", "Namespace"]);
});

test("a new instance costs one write per object and one look at the namespace", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const seen: string[] = [];
  await using server = await startForwarder(devcluster, (method) => seen.push(method));
  await using cluster = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  await cluster.apply(spec);
  expect(seen).toEqual(["GET", ...renderManifests(spec, testSettings).map(() => "PATCH")]);
});

test("every watch stays one connection per kind, however many instances there are", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const watches: string[] = [];
  await using server = await startForwarder(devcluster, (_, url) => {
    if (url.searchParams.get("watch") === "true") watches.push(url.pathname);
  });
  await using cluster = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  await using watcher = cluster.watch(
    () => undefined,
    () => undefined,
  );
  await watcher.ready();
  for (const digit of ["4", "5", "6"])
    await cluster.apply({ ...spec, instanceId: `${spec.instanceId.slice(0, -1)}${digit}` });
  await until(
    "the watch has seen them",
    () => (watcher.stats().find(({ name }) => name === "namespaces")?.objects ?? 0) === 3,
  );
  expect(watches).toHaveLength(watcher.stats().length);
  expect(new Set(watches).size).toBe(watches.length);
});

test("K26 a Secret that was deleted by hand comes back: with the next resync, and at once when a pod lacks it", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const token = /token: "(.*)"/u.exec(devcluster.kubeconfig)?.[1] ?? "";
  const app = catalogSpec("wordpress.yaml", { ownerClaimed: true });
  const core = `${devcluster.url}/api/v1/namespaces/sewa-${app.instanceId}`;
  const erase = async (path: string): Promise<void> => {
    const answer = await fetch(`${core}/${path}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    expect(answer.status).toBe(200);
  };
  const inNamespace = (kind: string) =>
    devcluster.objects(kind).filter(({ metadata }) => metadata.namespace === `sewa-${app.instanceId}`);
  const watching = async (resyncMs: number) => {
    const cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log, resyncMs });
    await cluster
      .watch(
        () => undefined,
        () => undefined,
      )
      .ready();
    return cluster;
  };

  await using patient = await watching(3_600_000);
  const isUp = async (): Promise<boolean> => {
    await patient.apply(app);
    return (await patient.observe(app)).phase === "running" && inNamespace("Secret").length === 1;
  };
  await until("it runs", isUp);
  await erase("secrets/secrets");
  await patient.apply(app);
  expect(inNamespace("Secret")).toEqual([]);
  for (const { metadata } of inNamespace("Pod")) await erase(`pods/${metadata.name}`);
  await until("it runs again, with its Secret", isUp);

  await using due = await watching(0);
  await due.apply(app);
  await erase("secrets/secrets");
  await due.apply(app);
  expect(inNamespace("Secret")).toHaveLength(1);
});
