import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultyAnswer, type RequestPattern, startDevcluster } from "@sewa/devcluster";
import { expect, test } from "vitest";
import { collectionPath, type Kind, objectPath } from "./cluster/resources.ts";
import { NameTaken } from "./errors.ts";
import { reconcileInstance } from "./reconcile.ts";
import { namespaceName, renderManifests } from "./render/index.ts";
import type { InstanceSpec } from "./render/types.ts";
import { testApp, testSettings, testWorkload } from "./testing/specs.ts";
import { until } from "./testing/until.ts";
import { newSpec, startWorld, type World } from "./testing/world.ts";

const unclaimed = { ownerClaimed: false };
const ignore = (): void => undefined;

/** `Kind name` of everything that an instance that runs has, each once. */
function wholeOf(spec: InstanceSpec): readonly string[] {
  const rendered = [spec, { ...spec, ownerClaimed: true }].flatMap((each) => renderManifests(each, testSettings));
  return [...new Set(rendered.map(({ kind, metadata }) => `${kind} ${metadata.name}`))].toSorted();
}

const madeByCluster = new Set(["Pod", "ReplicaSet", "Event"]);

function declared({ devcluster }: World, spec: InstanceSpec): readonly string[] {
  const name = namespaceName(spec.instanceId);
  return devcluster
    .objects()
    .filter(({ kind, metadata }) => (kind === "Namespace" ? metadata.name : metadata.namespace) === name)
    .filter(
      ({ kind, metadata }) => !madeByCluster.has(kind) && !["default", "kube-root-ca.crt"].includes(metadata.name),
    )
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .toSorted();
}

const appPath = (kind: Kind, name: string, spec: InstanceSpec): string =>
  objectPath(kind, name, namespaceName(spec.instanceId));

test.each<readonly [string, RequestPattern, FaultyAnswer]>([
  ["K2 an answer that is lost after the work was done", { verb: "patch", skip: 3, times: 4 }, "lost"],
  ["K3 a server that says nothing", { verb: "patch", skip: 5, times: 2 }, "silent"],
])("%s: the app comes up, with one of each object", async (_, pattern, how) => {
  await using world = await startWorld({ connect: { requestTimeoutMs: 250 } });
  const spec = newSpec(unclaimed);
  const faulty = world.devcluster.faults.answer(pattern, how);
  await world.running(spec);
  expect(faulty.met).toBeGreaterThan(1);
  world.devcluster.faults.clear();
  expect(declared(world, spec)).toEqual(wholeOf(spec));
});

test.each([500, 503] as const)(
  "K6 three in ten calls are refused with %i for a while: the app comes up, with one of each object",
  async (status) => {
    await using world = await startWorld({ connect: { watchTimings: { backoffMs: { min: 5, max: 20 } } } });
    const spec = newSpec(unclaimed);
    const share = { of: 0.3, seed: status };
    const faulty = world.devcluster.faults.answer({ share, times: 30 }, { status, retryAfterSeconds: 0 });
    await using watcher = world.cluster.watch(ignore, ignore);
    await watcher.ready();
    await world.running(spec);
    expect(faulty.met).toBeGreaterThan(5);
    expect(declared(world, spec)).toEqual(wholeOf(spec));
  },
);

test("K4 a server that is killed and started again finds its watches back and the app untouched", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sewa-test-"));
  const stateFile = join(folder, "state.json");
  try {
    const spec = newSpec();
    await using world = await startWorld({
      devcluster: { stateFile },
      connect: { watchTimings: { backoffMs: { min: 10, max: 50 } } },
    });
    const told: string[] = [];
    await using watcher = world.cluster.watch((id) => told.push(id), ignore);
    await watcher.ready();
    await world.running(spec);
    const before = declared(world, spec);
    const [volume] = world.objects(spec, "PersistentVolumeClaim");
    await world.devcluster.stop();
    expect(await world.cluster.observe(spec)).toMatchObject({ existence: "unknown", reason: "CLUSTER_UNREACHABLE" });
    await using again = await startDevcluster({ port: Number(new URL(world.devcluster.url).port), pace: 0, stateFile });
    await until("every watch follows again", () => watcher.stats().every(({ isFollowing }) => isFollowing));
    expect(await world.running(spec)).toMatchObject({ existence: "present", reason: null });
    expect(declared({ ...world, devcluster: again }, spec)).toEqual(before);
    const [same] = again.objects("PersistentVolumeClaim");
    expect(same?.metadata.uid).toBe(volume?.metadata.uid);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("K5 a server that asks to be left alone is not asked earlier, whoever prompts us to", async () => {
  let now = Date.now();
  await using world = await startWorld({ connect: { now: () => now } });
  const spec = newSpec();
  const busy = world.devcluster.faults.answer({ verb: "patch", times: 1 }, { status: 429, retryAfterSeconds: 7 });
  expect(await world.pass(spec)).toEqual({ outcome: "progressing", requeueAfterMs: 7_000 });
  expect(busy.met).toBe(1);
  world.requests.length = 0;
  now += 6_999;
  expect(await world.pass(spec)).toMatchObject({ outcome: "progressing" });
  expect(await world.pass(newSpec())).toMatchObject({ outcome: "progressing" });
  expect(world.requests).toEqual([]);
  now += 1;
  await world.running(spec);
  expect(world.requests.length).toBeGreaterThan(0);
});

test("K5 a time that nobody can mean is not waited for", async () => {
  let now = Date.now();
  await using world = await startWorld({ connect: { now: () => now } });
  const spec = newSpec();
  world.devcluster.faults.answer({ times: 1 }, { status: 503, retryAfterSeconds: 86_400 });
  expect(await world.pass(spec)).toEqual({ outcome: "progressing", requeueAfterMs: 60_000 });
  now += 60_000;
  await world.running(spec);
});

test("K9 rights that were taken away are tried once a minute, however often we are prompted, and used when they are back", async () => {
  let now = Date.now();
  await using world = await startWorld({ connect: { now: () => now } });
  const spec = newSpec();
  await world.running(spec);
  const denied = world.devcluster.faults.answer({ verb: "patch", plural: "deployments" }, { status: 403 });
  const changed = { ...spec, generation: 2, restartRequestedAt: "2026-11-21T08:00:00.000Z" };
  for (let prompt = 0; prompt < 10; prompt += 1) {
    expect(await world.pass(changed)).toEqual({ outcome: "progressing", requeueAfterMs: 60_000 });
    now += 1_000;
  }
  expect(denied.met).toBe(1);
  expect(world.last(changed)).toMatchObject({ existence: "unknown", reason: "CLUSTER_DENIED" });
  now += 50_000;
  await world.pass(changed);
  expect(denied.met).toBe(2);
  world.devcluster.faults.clear();
  now += 60_000;
  await world.running(changed);
});

test.each<readonly [string, FaultyAnswer, string, number]>([
  ["K10 K11 one object is refused as invalid", { status: 422 }, "INVALID_OBJECT", 1],
  ["K11 one object is forbidden by a policy", { status: 403 }, "CLUSTER_DENIED", 3],
  ["K12 one object is refused by a quota", "quota", "QUOTA_EXCEEDED", 3],
])(
  "%s: never running, what came before is kept, and nothing is left when it is taken back",
  async (_, how, reason, tries) => {
    let now = Date.now();
    await using world = await startWorld({ connect: { now: () => now } });
    const spec = newSpec(unclaimed);
    const refused = world.devcluster.faults.answer({ verb: "patch", plural: "persistentvolumeclaims" }, how);
    for (let pass = 0; pass < 3; pass += 1) {
      await world.pass(spec);
      now += 60_000;
    }
    const seen = world.store.observations(spec.instanceId);
    expect(seen.map((each) => each.reason)).toEqual([reason, reason, reason]);
    // What would be refused again is not asked again within minutes.
    expect(refused.met).toBe(tries);
    expect(seen.map(({ phase }) => phase)).not.toContain("running");
    expect(declared(world, spec)).toContain("Secret secrets");
    expect(world.objects(spec, "Deployment")).toEqual([]);

    world.devcluster.faults.clear();
    now += 300_000;
    await world.running(spec);
    const absent = { ...spec, generation: 2, phase: "absent" as const };
    world.devcluster.faults.answer({ verb: "patch", plural: "persistentvolumeclaims" }, how);
    await world.bring(absent, "it is gone", ({ existence }) => existence === "absent");
    expect(declared(world, spec)).toEqual([]);
  },
);

test("K15 a watch that is half open is given up, and what happened meanwhile is heard", async () => {
  await using world = await startWorld({
    connect: { watchTimings: { silentMs: 150, backoffMs: { min: 5, max: 20 } } },
  });
  const silenced = world.devcluster.faults.answer({ verb: "watch", plural: "services", times: 1 }, "silent");
  const told: string[] = [];
  await using watcher = world.cluster.watch((id) => told.push(id), ignore);
  await watcher.ready();
  const spec = newSpec();
  await until("a watch is half open", () => silenced.met === 1);
  await world.cluster.apply(spec);
  await until("the service is heard of", () =>
    watcher.stats().some(({ name, objects }) => name === "services" && objects === 1),
  );
  expect(watcher.stats().find(({ name }) => name === "services")?.restarts).toBeGreaterThan(0);
  expect(told).toContain(spec.instanceId);
});

test.each([401, 403, 410, 429, 500] as const)(
  "K16 K17 watches that are answered %i come back, each alone, without a hot loop",
  async (status) => {
    const min = 40;
    await using world = await startWorld({ connect: { watchTimings: { backoffMs: { min, max: 80 } } } });
    const times = 3;
    const begun = performance.now();
    const faulty = world.devcluster.faults.answer(
      { verb: "watch", plural: "pods", times },
      { status, retryAfterSeconds: 0 },
    );
    await using watcher = world.cluster.watch(ignore, ignore);
    await watcher.ready();
    await until(
      "every watch follows",
      () => watcher.stats().every(({ isFollowing }) => isFollowing) && faulty.met === times,
    );
    // Half of the delay at least, whatever the jitter.
    expect(performance.now() - begun).toBeGreaterThanOrEqual((times * min) / 2);
    const troubled = watcher.stats().filter(({ restarts, expired }) => restarts + expired > 0);
    expect(troubled.map(({ name }) => name)).toEqual(["pods"]);
  },
);

test("K18 an app that was deleted and made anew by others while the watch was away is made whole", async () => {
  await using world = await startWorld({ connect: { watchTimings: { backoffMs: { min: 5, max: 20 } } } });
  const spec = newSpec();
  const told: string[] = [];
  await using watcher = world.cluster.watch((id) => told.push(id), ignore);
  await watcher.ready();
  await world.running(spec);
  await until("the watch has seen all", async () => {
    world.requests.length = 0;
    await world.pass(spec);
    return world.requests.length === 0;
  });
  // The watches cannot come back before the world has changed.
  world.devcluster.faults.answer({ verb: "watch" }, { status: 500 });
  world.devcluster.dropWatches();
  const path = objectPath("Namespace", namespaceName(spec.instanceId));
  const [old] = world.devcluster.objects("Namespace").filter(({ metadata }) => path.endsWith(metadata.name));
  await world.byHand("DELETE", path);
  await until("it is gone", async () => (await world.byHand("GET", path)) === 404);
  const { name, labels, annotations } = old!.metadata;
  expect(await world.byHand("POST", collectionPath("Namespace"), { metadata: { name, labels, annotations } })).toBe(
    201,
  );
  told.length = 0;
  world.devcluster.faults.clear();
  await until("it is told", () => told.includes(spec.instanceId));
  await until("the watch follows", () => watcher.stats().every(({ isFollowing }) => isFollowing));
  await world.running(spec);
  expect(declared(world, spec).filter((line) => !line.startsWith("Job "))).toEqual(
    wholeOf(spec).filter((line) => !line.startsWith("Job ")),
  );
});

test("K22 a namespace that somebody's finalizer holds is left to its holder, and after a quarter of an hour an operator is told what holds it", async () => {
  let now = Date.now();
  await using world = await startWorld({ connect: { now: () => now } });
  const spec = newSpec();
  await world.running(spec);
  const finalizers = ["example.com/hold"];
  await world.byHand("PATCH", appPath("Service", "kuma", spec), { metadata: { finalizers } });
  const absent = { ...spec, generation: 2, phase: "absent" as const };
  await world.bring(absent, "only the held one is left", () => world.objects(spec, "Pod").length === 0);
  expect(world.last(absent)).toMatchObject({ phase: "deleting", reason: "DELETING" });
  expect(world.warnings).toEqual([]);
  now += 16 * 60_000;
  expect(await world.pass(absent)).toEqual({ outcome: "progressing", requeueAfterMs: 60_000 });
  const seen = world.last(absent);
  expect(seen).toMatchObject({ existence: "present", phase: "deleting", reason: "DELETION_STUCK" });
  // What holds it is not for the customer.
  expect(JSON.stringify(seen)).not.toContain("example.com");
  expect(world.warnings).toMatchObject([{ message: "removal is stuck", fields: { instanceId: spec.instanceId } }]);
  expect(JSON.stringify(world.warnings)).toContain("example.com/hold in 1 resource instances");
  expect(world.objects(spec, "Service").map(({ metadata }) => metadata.finalizers)).toEqual([finalizers]);
  await world.byHand("PATCH", appPath("Service", "kuma", spec), { metadata: { finalizers: null } });
  await world.bring(absent, "it is gone", ({ existence }) => existence === "absent");
});

test("K23 a namespace that a dead API keeps says so to operators, and goes when the API is back", async () => {
  let now = Date.now();
  await using world = await startWorld({ connect: { now: () => now } });
  const spec = newSpec();
  await world.running(spec);
  world.devcluster.faults.failDiscovery("metrics.k8s.io/v1beta1");
  const absent = { ...spec, generation: 2, phase: "absent" as const };
  await world.bring(absent, "its content is gone", () => world.objects(spec, "Pod").length === 0);
  now += 16 * 60_000;
  const stuck = await world.bring(absent, "it is stuck", ({ reason }) => reason === "DELETION_STUCK");
  expect(stuck).toMatchObject({ existence: "present", phase: "deleting" });
  await until("an operator is told why", async () => {
    await world.pass(absent);
    return JSON.stringify(world.warnings).includes("Discovery failed for some groups, 1 failing");
  });
  world.devcluster.faults.clear();
  await world.bring(absent, "it is gone", ({ existence }) => existence === "absent");
});

test("K24 an app that is ordered while another one's namespace goes does not wait for it", async () => {
  await using world = await startWorld();
  const [old, next] = [newSpec(), newSpec()];
  await world.running(old);
  await world.byHand("PATCH", appPath("Service", "kuma", old), { metadata: { finalizers: ["example.com/hold"] } });
  const absent = { ...old, generation: 2, phase: "absent" as const };
  await world.bring(absent, "it goes", ({ phase }) => phase === "deleting");
  await world.running(next);
  await world.pass(absent);
  expect(world.last(absent)).toMatchObject({ phase: "deleting" });
  // Nothing is tried in the namespace that goes.
  world.requests.length = 0;
  expect(await world.pass({ ...old, generation: 3 })).toEqual({ outcome: "progressing", requeueAfterMs: 5_000 });
  expect(world.requests.filter((line) => line.startsWith("PATCH"))).toEqual([]);
});

test("K25 a volume claim outlives its StatefulSet, serves the next one, and goes with the app", async () => {
  await using world = await startWorld();
  const workload = testWorkload({ kind: "StatefulSet" });
  const spec = newSpec({ app: testApp({ workloads: [workload] }) });
  await world.running(spec);
  const uidOf = (kind: string): string | undefined => world.objects(spec, kind)[0]?.metadata.uid;
  const [volume, set] = [uidOf("PersistentVolumeClaim"), uidOf("StatefulSet")];
  await world.byHand("DELETE", appPath("StatefulSet", workload.id, spec));
  await until("it is another set", async () => {
    await world.running(spec);
    return uidOf("StatefulSet") !== set;
  });
  expect(uidOf("PersistentVolumeClaim")).toBe(volume);
  const absent = { ...spec, generation: 2, phase: "absent" as const };
  await world.bring(absent, "it is gone", ({ existence }) => existence === "absent");
  await until("its volume is gone", () => world.devcluster.objects("PersistentVolume").length === 0);
  expect(world.devcluster.objects("PersistentVolumeClaim")).toEqual([]);
});

test("K8 K32 what another house has in the cluster is neither changed nor removed, though it bears our names", async () => {
  await using world = await startWorld();
  const theirs = newSpec();
  await world.running(theirs);
  const before = JSON.stringify(world.objects(theirs, "Deployment").map(({ metadata }) => metadata.resourceVersion));
  const ours = {
    ...theirs,
    houseId: "0199aaaa-0000-7000-8000-0000000000ff",
    generation: 7,
    restartRequestedAt: "2027",
  };
  world.requests.length = 0;
  expect(await world.pass(ours)).toBeInstanceOf(NameTaken);
  expect(world.last(ours)).toMatchObject({ phase: "failed", reason: "NAME_TAKEN" });
  await world.pass({ ...ours, phase: "absent" });
  // For us there is nothing of it: that is what a removal has to reach.
  expect(world.last(ours)).toMatchObject({ existence: "absent" });
  expect(world.requests.filter((line) => !line.startsWith("GET"))).toEqual([]);
  expect(JSON.stringify(world.objects(theirs, "Deployment").map(({ metadata }) => metadata.resourceVersion))).toBe(
    before,
  );
  const [owned] = await world.cluster.listOwnedNamespaces();
  expect(owned).toMatchObject({ houseId: theirs.houseId, instanceId: theirs.instanceId });
  expect((await world.running({ ...theirs, generation: 8 })).reason).toBeNull();
});

test("K32 an instance that our database does not know is left alone, and asked for no more", async () => {
  await using world = await startWorld();
  const theirs = newSpec();
  await world.running(theirs);
  world.store.delete(theirs.instanceId);
  world.requests.length = 0;
  const lost = { ...world.store, lease: () => Promise.resolve(null) };
  const signal = new AbortController().signal;
  const outcome = await reconcileInstance({ instances: lost, cluster: world.cluster }, theirs.instanceId, { signal });
  expect(outcome).toEqual({ outcome: "converged" });
  expect(world.requests).toEqual([]);
});

test("K26 files that somebody deletes come back, and a volume claim as soon as no pod holds it any more", async () => {
  await using world = await startWorld();
  await using watcher = world.cluster.watch(ignore, ignore);
  await watcher.ready();
  const files = [{ path: "/etc/app/app.conf", content: "mode = fast\n" }];
  const spec = newSpec({ app: testApp({ workloads: [testWorkload({ files })] }) });
  await world.running(spec);
  const uidOf = (kind: string): string | undefined => world.objects(spec, kind)[0]?.metadata.uid;
  const before = { files: world.objects(spec, "ConfigMap").length, volume: uidOf("PersistentVolumeClaim") };
  await world.byHand("DELETE", appPath("ConfigMap", "files-kuma", spec));
  await until("the files are back", async () => {
    await world.running(spec);
    return world.objects(spec, "ConfigMap").length === before.files;
  });
  await world.byHand("DELETE", appPath("PersistentVolumeClaim", "data", spec));
  // The pod holds it: the app runs on, and what else is wrong is put right all the same.
  expect(uidOf("PersistentVolumeClaim")).toBe(before.volume);
  await world.byHand("DELETE", appPath("Service", "kuma", spec));
  await until("the service is back", async () => {
    await world.pass(spec);
    return uidOf("Service") !== undefined;
  });
  const [pod] = world.objects(spec, "Pod");
  await world.byHand("DELETE", appPath("Pod", pod!.metadata.name, spec));
  await until(
    "it runs on another volume",
    async () => {
      await world.pass(spec);
      const volume = uidOf("PersistentVolumeClaim");
      return volume !== undefined && volume !== before.volume && world.last(spec)?.phase === "running";
    },
    15_000,
  );
});

test("K33 a cluster that was restored to yesterday gets back what came since, and keeps its volumes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sewa-test-"));
  const [stateFile, yesterday] = [join(folder, "state.json"), join(folder, "yesterday.json")];
  try {
    const [old, since] = [newSpec(), newSpec()];
    let volume: string | undefined;
    await using world = await startWorld({
      devcluster: { stateFile },
      connect: { watchTimings: { serverTimeoutSeconds: 1, relistMs: 0, backoffMs: { min: 10, max: 50 } } },
    });
    const port = Number(new URL(world.devcluster.url).port);
    const told = new Set<string>();
    await using watcher = world.cluster.watch((id) => told.add(id), ignore);
    await watcher.ready();
    await world.running(old);
    volume = world.objects(old, "PersistentVolumeClaim")[0]?.metadata.uid;
    await world.devcluster.stop();
    await copyFile(stateFile, yesterday);
    {
      await using today = await startDevcluster({ port, pace: 0, stateFile });
      await world.running(since);
      expect(today.objects("Deployment")).toHaveLength(2);
    }
    await copyFile(yesterday, stateFile);
    told.clear();
    await using restored = await startDevcluster({ port, pace: 0, stateFile });
    expect(restored.objects("Deployment")).toHaveLength(1);
    await until("what is missing is told", () => told.has(since.instanceId), 10_000);
    await world.running(since);
    await world.running(old);
    expect(declared({ ...world, devcluster: restored }, since)).toEqual(
      declared({ ...world, devcluster: restored }, old).map((line) => line.replace(old.instanceId, since.instanceId)),
    );
    const claims = restored.objects("PersistentVolumeClaim").map(({ metadata }) => metadata.uid);
    expect(claims).toHaveLength(2);
    expect(claims).toContain(volume);
  } finally {
    await rm(folder, { recursive: true });
  }
});
