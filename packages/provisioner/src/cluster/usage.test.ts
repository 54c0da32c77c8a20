import { startDevcluster, type Devcluster } from "@sewa/devcluster";
import { expect, test } from "vitest";
import { reconcileInstance } from "../reconcile.ts";
import { answer, startHttpServer } from "../testing/http-server.ts";
import { createMemoryStore } from "../testing/memory-store.ts";
import { testSettings, testSpec } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import type { Cluster } from "./cluster.ts";
import { connectCluster } from "./connect.ts";

const spec = testSpec();
const gibibyte = 1024 ** 3;

/** A cluster of ours with one app that runs. */
async function withApp(lines: string[] = []) {
  const stack = new AsyncDisposableStack();
  const devcluster = stack.use(await startDevcluster({ port: 0, pace: 0 }));
  const log = { warn: (_: unknown, message: string): void => void lines.push(message) };
  const cluster = stack.use(connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log }));
  await bring(cluster, "running", 1);
  return { devcluster, cluster, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function bring(cluster: Cluster, phase: "running" | "stopped", generation: number): Promise<void> {
  const instances = createMemoryStore();
  instances.set(testSpec({ phase, generation, ownerClaimed: generation > 1 }));
  const { signal } = new AbortController();
  await until(`it is ${phase}`, async () => {
    await reconcileInstance({ instances, cluster }, spec.instanceId, { signal });
    return instances.observations(spec.instanceId).at(-1)?.phase === phase;
  });
}

const claimed = (devcluster: Devcluster): number => devcluster.objects("PersistentVolumeClaim").length;

test("the usage of all instances is one request, with what their claims have got", async () => {
  await using house = await withApp();
  house.devcluster.metrics.setUsage("busybox", { cpuMillis: 123.456, memoryBytes: 64 * 1024 ** 2 });
  const expected = {
    instanceId: spec.instanceId,
    measuredAt: expect.any(Date) as Date,
    workloads: [{ workload: "kuma", cpuMillis: expect.closeTo(123.456, 6) as number, memoryBytes: 64 * 1024 ** 2 }],
    storageBytes: spec.limits.storageBytes,
  };
  expect(spec.limits.storageBytes).toBeGreaterThanOrEqual(gibibyte);
  expect(claimed(house.devcluster)).toBe(1);
  expect(await house.cluster.usage()).toEqual([expected]);
  // The watch knows the claims as well.
  await using watcher = house.cluster.watch(
    () => undefined,
    () => undefined,
  );
  await watcher.ready();
  expect(await house.cluster.usage()).toEqual([expected]);
});

test("a stopped app has storage and nothing else", async () => {
  await using house = await withApp();
  await bring(house.cluster, "stopped", 2);
  expect(await house.cluster.usage()).toEqual([
    { instanceId: spec.instanceId, measuredAt: null, workloads: [], storageBytes: spec.limits.storageBytes },
  ]);
});

test("a cluster that tells no usage is no error, and is said once until it has told in between", async () => {
  const lines: string[] = [];
  await using house = await withApp(lines);
  const { metrics } = house.devcluster;
  lines.length = 0;
  for (const state of ["absent", "unavailable"] as const) {
    metrics.setState(state);
    for (let minute = 0; minute < 3; minute += 1) expect(await house.cluster.usage()).toBeNull();
    expect(lines.splice(0)).toHaveLength(1);
    metrics.setState("served");
    expect(await house.cluster.usage()).toHaveLength(1);
  }
});

test("a cluster that does not let us ask is no error either, and an abort stays one", async () => {
  await using server = await startHttpServer((_, response) =>
    answer(response, 403, {
      kind: "Status",
      reason: "Forbidden",
      message: "pods.metrics.k8s.io is forbidden",
      code: 403,
    }),
  );
  const log = { warn: (): void => undefined };
  await using cluster = connectCluster({ kubeconfig: server.kubeconfig, settings: testSettings, log });
  expect(await cluster.usage()).toBeNull();
  const stop = new AbortController();
  stop.abort(new Error("The worker stops."));
  await expect(cluster.usage({ signal: stop.signal })).rejects.toThrow("The worker stops.");
});
