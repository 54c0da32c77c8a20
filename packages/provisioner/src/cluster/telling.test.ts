import { startDevcluster } from "@sewa/devcluster";
import { expect, test } from "vitest";
import { testSettings, testSpec } from "../testing/specs.ts";
import { until } from "../testing/until.ts";
import { connectCluster } from "./connect.ts";

const log = { warn: (): void => undefined };
const specs = ["a", "b", "c"].map((digit) => testSpec({ instanceId: `${testSpec().instanceId.slice(0, -1)}${digit}` }));
const ids = specs.map(({ instanceId }) => instanceId);
const ignore = (): void => undefined;

test("the first list tells every instance once, whatever happened before", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  await using cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log });
  for (const spec of specs) await cluster.apply(spec);
  const told = new Set<string>();
  await using watcher = cluster.watch((id) => told.add(id), ignore);
  await watcher.ready();
  await until("all are told", () => told.size === ids.length);
  expect([...told].toSorted()).toEqual(ids);
});

test("K19 a burst of changes is told a few times, not each", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  await using cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log });
  const told: string[] = [];
  await using watcher = cluster.watch((id) => told.push(id), ignore);
  await watcher.ready();
  const bursts = 20;
  for (let generation = 1; generation <= bursts; generation += 1) await cluster.apply({ ...specs[0]!, generation });
  const events = (): number => watcher.stats().reduce((sum, stats) => sum + stats.events, 0);
  await until("the changes were heard and told", () => events() > bursts && told.length > 0);
  expect(told.length).toBeLessThan(events() / 2);
});

test("K20 a handler that throws is reported and stops nothing", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const warnings: string[] = [];
  const warn = (_: unknown, message: string): void => void warnings.push(message);
  await using cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log: { warn } });
  const told: string[] = [];
  await using watcher = cluster.watch((id) => {
    told.push(id);
    throw new Error("The queue is away.");
  }, ignore);
  await watcher.ready();
  for (const spec of specs) await cluster.apply(spec);
  await until("all are told", () => new Set(told).size === ids.length);
  expect(warnings).toContain("watch handler failed");
});

test("a machine that changes is told by its name, and its heartbeats are not", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  await using cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log });
  const told: string[] = [];
  await using watcher = cluster.watch(ignore, (name) => told.push(name));
  await watcher.ready();
  await until("the first list is told", () => told.length === devcluster.objects("Node").length);
  told.length = 0;
  devcluster.faults.setNodeReady("node-2", false);
  await until("the loss is told", () => told.length > 0);
  expect(new Set(told)).toEqual(new Set(["node-2"]));
});

test("a second watcher is refused, and a stopped one tells nothing more", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  await using cluster = connectCluster({ kubeconfig: devcluster.kubeconfig, settings: testSettings, log });
  const told: string[] = [];
  const watcher = cluster.watch((id) => told.push(id), ignore);
  expect(() => cluster.watch(ignore, ignore)).toThrow("watched already");
  await watcher.ready();
  await watcher[Symbol.asyncDispose]();
  await using other = cluster.watch(ignore, ignore);
  await other.ready();
  await cluster.apply(specs[0]!);
  await until("the other has heard it", () => other.stats().some(({ events }) => events > 0));
  expect(told).toEqual([]);
});
