import { getInstance, runJob } from "@sewa/core";
import type { KubeObject } from "@sewa/devcluster";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startWorker, type Worker } from "./start-worker.ts";
import { startTestHouse, type TestHouse, until } from "./test-house.ts";

// What the cluster does to an app, and a worker that nobody prompts but the watch and its own jobs.

const stack = new AsyncDisposableStack();
let house: TestHouse;
let worker: Worker;
let instanceId: string;

beforeAll(async () => {
  house = stack.use(await startTestHouse());
  worker = stack.use(await startWorker(house.options));
  instanceId = await house.order();
  await house.running(instanceId);
}, 60_000);

afterAll(() => stack.disposeAsync());

beforeEach(() => house.cluster.faults.clear());

const mine = (kind: string, id = instanceId): readonly KubeObject[] =>
  house.cluster.objects(kind).filter(({ metadata }) => metadata.namespace === `sewa-${id}`);

/** With the cluster's own rights, as an operator with kubectl. */
async function byHand(method: string, path: string, body?: object): Promise<number> {
  const token = /token: "?([^"\s]+)/.exec(house.cluster.kubeconfig)?.[1];
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/merge-patch+json" };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(house.cluster.url + path, { method, headers, ...content });
  await answer.arrayBuffer();
  return answer.status;
}

const apis: Readonly<Record<string, string>> = {
  ResourceQuota: "api/v1 resourcequotas",
  LimitRange: "api/v1 limitranges",
  NetworkPolicy: "apis/networking.k8s.io/v1 networkpolicies",
  ServiceAccount: "api/v1 serviceaccounts",
  Deployment: "apis/apps/v1 deployments",
  Pod: "api/v1 pods",
  Service: "api/v1 services",
  Ingress: "apis/networking.k8s.io/v1 ingresses",
};

const pathOf = (kind: string, { namespace, name }: KubeObject["metadata"]): string => {
  const [root, plural] = apis[kind]!.split(" ");
  return `/${root}/namespaces/${namespace}/${plural}/${name}`;
};

const jobsOf = (id: string): Promise<readonly Record<string, unknown>[]> =>
  house.sql(`select id from graphile_worker._private_jobs where key = 'instance:reconcile:${id}'`);

test.each(Object.keys(apis))("K26 %s: what somebody deletes is back by itself", async (kind) => {
  const isOurs = ({ metadata }: KubeObject): boolean =>
    metadata.labels?.["sewa.dev/instance"] !== undefined && !metadata.name.startsWith("claim-");
  const before = mine(kind).filter(isOurs);
  expect(before.length).toBeGreaterThan(0);
  for (const { metadata } of before) expect(await byHand("DELETE", pathOf(kind, metadata))).toBe(200);
  const gone = new Set(before.map(({ metadata }) => metadata.uid));
  await until(`each ${kind} is another one`, () => {
    const now = mine(kind).filter(isOurs);
    return now.length === before.length && now.every(({ metadata }) => !gone.has(metadata.uid));
  });
  await house.running(instanceId);
});

test("K26 a namespace that somebody deletes is made again with everything in it", async () => {
  const id = await house.order();
  await house.running(id);
  const kinds = (): readonly string[] =>
    ["ResourceQuota", "NetworkPolicy", "Secret", "PersistentVolumeClaim", "Deployment", "Service", "Ingress"].flatMap(
      (kind) => mine(kind, id).map(({ metadata }) => `${kind} ${metadata.name}`),
    );
  const [before, uid] = [kinds(), mine("Deployment", id)[0]!.metadata.uid];
  expect(await byHand("DELETE", `/api/v1/namespaces/sewa-${id}`)).toBe(200);
  await until("another one is made", () => {
    const [now] = mine("Deployment", id);
    return now !== undefined && now.metadata.uid !== uid;
  });
  await until("it is whole", () => kinds().join() === before.join());
  await house.running(id);
});

test("K27 what somebody changes of ours comes back, and what is theirs stays", async () => {
  type Deployment = KubeObject & {
    readonly spec: { replicas: number; template: { spec: { containers: Container[] } } };
  };
  type Container = { readonly name: string; readonly image: string };
  const read = (): Deployment => mine("Deployment")[0] as Deployment;
  const before = read();
  const [container] = before.spec.template.spec.containers;
  const annotations = { "example.com/theirs": "stays" };
  const containers = [{ ...container, image: "example.com/other:1" }];
  const spec = { replicas: 5, template: { spec: { containers } } };
  expect(await byHand("PATCH", pathOf("Deployment", before.metadata), { metadata: { annotations }, spec })).toBe(200);
  await until("ours is back", () => {
    const { replicas, template } = read().spec;
    return replicas === 1 && template.spec.containers[0]?.image === container?.image;
  });
  expect(read().metadata.annotations).toMatchObject(annotations);
  expect(read().metadata.uid).toBe(before.metadata.uid);
  await house.running(instanceId);
});

test("K19 a storm of changes is one prompt at a time and a few passes, and ends as wanted", async () => {
  const passes = async (): Promise<number> => {
    const metrics = await (await fetch(`${worker.internalUrl}/metrics`)).text();
    const counts = metrics.matchAll(/^sewa_reconcile_duration_seconds_count\{[^}]*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const [service] = mine("Service");
  const storm = 400;
  const before = await passes();
  let mostJobs = 0;
  for (let change = 0; change < storm; change += 1) {
    const labels = { "sewa.dev/subscription": `changed-${change}` };
    expect(await byHand("PATCH", pathOf("Service", service!.metadata), { metadata: { labels } })).toBe(200);
    if (change % 20 === 0) mostJobs = Math.max(mostJobs, (await jobsOf(instanceId)).length);
  }
  const wanted = service!.metadata.labels?.["sewa.dev/subscription"];
  await until("it is as wanted", () => mine("Service")[0]?.metadata.labels?.["sewa.dev/subscription"] === wanted);
  await house.running(instanceId);
  // One that runs, and one that was added meanwhile.
  expect(mostJobs).toBeLessThanOrEqual(2);
  const made = (await passes()) - before;
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(storm / 4);
});

test("K30 an app whose readiness comes and goes writes no flood of events, mails or jobs", async () => {
  const count = async (table: string): Promise<number> =>
    Number((await house.sql(`select count(*) from ${table} where instance_id = '${instanceId}'`))[0]?.["count"]);
  const mails = async (): Promise<number> =>
    Number((await house.sql("select count(*) from notifications"))[0]?.["count"]);
  const phase = async (): Promise<string> => (await getInstance(house.core, instanceId)).instance.observedPhase;
  const before = { events: await count("events"), operations: await count("operations"), mails: await mails() };
  for (let turn = 0; turn < 6; turn += 1) {
    house.cluster.faults.neverReady(/./);
    await until("it is not ready", async () => (await phase()) !== "running");
    house.cluster.faults.clear();
    await house.running(instanceId);
  }
  expect(await mails()).toBe(before.mails);
  expect(await count("operations")).toBe(before.operations);
  expect((await count("events")) - before.events).toBeLessThanOrEqual(4);
  expect((await jobsOf(instanceId)).length).toBeLessThanOrEqual(2);
});

test("K10 an object that the cluster never takes is told to its customer, not tried again, and taken back", async () => {
  const refused = house.cluster.faults.answer({ verb: "patch", plural: "deployments" }, { status: 422 });
  const id = await house.order();
  const { instance, message } = await until("it is told", async () => {
    const view = await getInstance(house.core, id);
    return view.instance.observedPhase === "failed" && view;
  });
  expect(instance.reason).toBe("INVALID_OBJECT");
  expect(message).toMatch(/^The cluster does not accept/);
  await until("nobody tries again", async () => (await jobsOf(id)).length === 0);
  // As the sweep does each minute until the deadline.
  for (let sweep = 0; sweep < 3; sweep += 1) {
    await runJob(house.core, "instance:sweep", {});
    await until("the sweep is over", async () => (await jobsOf(id)).length === 0);
  }
  expect(refused.met).toBe(1);
  await house.sql(`update operations set deadline_at = now() - interval '1 second' where instance_id = '${id}'`);
  await runJob(house.core, "instance:sweep", {});
  await until("it is taken back", async () => (await getInstance(house.core, id)).instance.removedAt !== null);
  const [subscription] = await house.sql(
    `select status, cancel_reason from subscriptions where id = '${instance.subscriptionId}'`,
  );
  expect(subscription).toEqual({ status: "cancelled", cancel_reason: "provisioning_failed" });
  expect(house.cluster.objects("Namespace").map(({ metadata }) => metadata.name)).not.toContain(`sewa-${id}`);
});

test("K32 a second house on the cluster leaves the first one's apps alone, and its worker comes to rest", async () => {
  await using other = await startTestHouse();
  const cluster = { ...other.options.cluster!, kubeconfig: house.options.cluster!.kubeconfig };
  const uids = (): readonly string[] => house.cluster.objects("Deployment").map(({ metadata }) => metadata.uid);
  const before = uids();
  await using second = await startWorker({ ...other.options, cluster });
  // Its watch tells it of every app that is there; the job of the first one is made, and not made again.
  await until("it has heard of them", async () => {
    const metrics = await (await fetch(`${second.internalUrl}/metrics`)).text();
    return /^sewa_reconcile_duration_seconds_count\{outcome="converged"\} [1-9]/m.test(metrics);
  });
  await until("nothing is left to do", async () => {
    const jobs = await other.sql("select id from graphile_worker._private_jobs where key like 'instance:reconcile:%'");
    return jobs.length === 0;
  });
  expect(uids()).toEqual(before);
  const houses = async (each: TestHouse): Promise<unknown> => (await each.sql("select id from house"))[0]?.["id"];
  const label = house.cluster.objects("Namespace").find(({ metadata }) => metadata.name === `sewa-${instanceId}`);
  expect(label?.metadata.labels?.["sewa.dev/house"]).toBe(await houses(house));
  await house.running(instanceId);
});
