import { readFileSync } from "node:fs";
import { startDevcluster } from "@sewa/devcluster";
import { expect, test } from "vitest";
import { connectCluster } from "./cluster/connect.ts";
import { podLog, podMetrics, resources } from "./cluster/resources.ts";
import { reconcileInstance } from "./reconcile.ts";
import { startForwarder } from "./testing/forwarder.ts";
import { createMemoryStore } from "./testing/memory-store.ts";
import { testApp, testSettings, testSpec, testWorkload } from "./testing/specs.ts";
import { until } from "./testing/until.ts";

const text = readFileSync(new URL("../deploy/rbac.yaml", import.meta.url), "utf8");

/** `group/resource verb` of every rule. The file keeps each list on one line, so that no YAML parser is needed. */
function granted(): readonly string[] {
  const rules = text.matchAll(/- apiGroups: \[(.*?)\]\n\s+resources: \[(.*?)\]\n\s+verbs: \[(.*?)\]/gu);
  const items = (list: string | undefined): string[] =>
    (list ?? "").split(",").map((item) => item.trim().replaceAll('"', ""));
  return [...rules].flatMap(([, groups, plurals, verbs]) =>
    items(groups).flatMap((group) =>
      items(plurals).flatMap((plural) => items(verbs).map((verb) => `${group}/${plural} ${verb}`)),
    ),
  );
}

test("the worker's role grants exactly what the client asks for", () => {
  const needed = [...Object.values(resources), podLog, podMetrics].flatMap(({ group, plural, verbs }) =>
    verbs.map((verb) => `${group}/${plural} ${verb}`),
  );
  expect(granted().toSorted()).toEqual(needed.toSorted());
});

test("the worker's role can neither read Secrets nor give rights", () => {
  const rights = granted();
  expect(rights.filter((right) => right.startsWith("/secrets"))).toEqual(["/secrets create", "/secrets patch"]);
  expect(rights.filter((right) => /\*|rbac|escalate|impersonate|exec/u.test(right))).toEqual([]);
});

/** The right that a request needs, as RBAC names it; an apply needs two, as it may create. */
function rightsFor(method: string, url: URL): readonly string[] {
  const path =
    /^\/apis?\/(?:(?<group>[^/]+)\/)?v1(?:beta1)?\/(?:namespaces\/[^/]+\/)?(?<plural>[a-z]+)(?<name>\/[^/]+)?(?<sub>\/log)?$/u;
  const { group = "", plural = "", name, sub = "" } = path.exec(url.pathname)?.groups ?? {};
  const right = (verb: string): string => `${group}/${plural}${sub} ${verb}`;
  if (method === "PATCH")
    return url.searchParams.get("force") === "true" ? [right("create"), right("patch")] : [right("patch")];
  if (method === "DELETE") return [right("delete")];
  return [right(name !== undefined ? "get" : url.searchParams.get("watch") === "true" ? "watch" : "list")];
}

test("a whole life of an instance, watched and not, asks for nothing that the role does not grant", async () => {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const used = new Set<string>();
  await using recorder = await startForwarder(devcluster, (method, url) => {
    for (const right of rightsFor(method, url)) used.add(right);
  });
  const log = { warn: (): void => undefined };
  const instances = createMemoryStore();
  const signal = new AbortController().signal;
  await using cluster = connectCluster({ kubeconfig: recorder.kubeconfig, settings: testSettings, log });
  const bring = (phase: "running" | "stopped" | "absent", generation: number): Promise<boolean> => {
    instances.set(testSpec({ phase, generation, ownerClaimed: generation > 1 }));
    return until(`it is ${phase}`, async () => {
      const { instanceId } = testSpec();
      await reconcileInstance({ instances, cluster }, instanceId, { signal });
      return instances.observations(instanceId).at(-1)?.phase === phase;
    });
  };
  await bring("running", 1);
  await using watcher = cluster.watch(
    () => undefined,
    () => undefined,
  );
  await watcher.ready();
  const [pod] = devcluster.objects("Pod").filter(({ metadata }) => metadata.name.startsWith("kuma"));
  const shown: string[] = [];
  const lines = cluster.logs({
    instanceId: testSpec().instanceId,
    pod: pod!.metadata.name,
    container: "kuma",
    isPrevious: false,
    isFollowed: false,
    tailLines: 1,
    since: null,
  });
  for await (const { text } of lines) shown.push(text);
  expect(shown).toHaveLength(1);
  const now = testSpec({ generation: 2, ownerClaimed: true });
  const files = [{ path: "/etc/app.conf", content: "size 1" }];
  const extra = testWorkload({
    id: "cache",
    kind: "StatefulSet",
    volumes: [],
    files,
    share: { cpu: 0.5, memory: 0.5 },
  });
  const planned = { ...now, app: testApp({ workloads: [testWorkload({ share: { cpu: 0.5, memory: 0.5 } }), extra] }) };
  await cluster.preview({ now, planned });
  await cluster.apply(planned);
  await until("the watch has seen what will be left over", async () => {
    await cluster.apply(now);
    return devcluster.objects("StatefulSet").length === 0;
  });
  const spec = testSpec({ ownerClaimed: true });
  const inventory = await cluster.inventory(spec.houseId);
  cluster.forget(spec.instanceId);
  await cluster.compare(spec, inventory);
  const namespace = inventory.objects.find(({ kind }) => kind === "Namespace")!;
  expect(await cluster.eraseRunning(spec.houseId, namespace)).toBeGreaterThan(2);
  await bring("stopped", 2);
  await bring("absent", 3);
  await cluster.nodes();
  await cluster.setSchedulable("node-1", true);
  await cluster.listOwnedNamespaces();
  expect(await cluster.usage()).not.toBeNull();
  expect(used.size).toBeGreaterThan(30);
  expect([...used].filter((right) => !granted().includes(right))).toEqual([]);
});
