import { expect, test } from "vitest";
import { at, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { deployment, testCluster } from "../testing/client.ts";
import { compareBodies } from "./compare.ts";
import { readTraces } from "./trace.ts";

/** Every status that a person can meet is laid beside one that a real server gave, member by member. */

const traces = readTraces();

function recorded(trace: string, n: number): JsonRecord {
  const line = traces.find((item) => item.id === trace)?.lines.find((item) => item.n === n);
  const body = recordOf(line?.response.body);
  return Array.isArray(body["items"]) ? recordOf(body["items"][0]) : body;
}

/** Texts name images, pods and tokens of their own, so of texts only the presence is compared. */
function differences(theirs: unknown, ours: unknown): string[] {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    const volatile = new Set([
      "message",
      "image",
      "name",
      "qosClass",
      "volumeMounts",
      "resources",
      "allocatedResources",
    ]);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, volatile.has(key) ? typeof item : plain(item)]),
    );
  };
  return compareBodies({ status: plain(theirs) }, { status: plain(ours) }, true);
}

function waitingReason(pod: unknown): string {
  return stringOf(at(listOf(at(pod, "status", "containerStatuses"))[0], "state", "waiting", "reason"));
}

const pods = "/api/v1/namespaces/default/pods";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

test("a pod whose image cannot be pulled looks as recorded (ImagePullBackOff), and so does its Deployment", async () => {
  await using test = await testCluster();
  test.cluster.faults.failImagePull("example/app");
  await test.apply(`${deployments}/web`, deployment("web"));
  const { body } = await test.until(pods, (answer) => waitingReason(answer.body.items[0]) === "ImagePullBackOff");
  expect(differences(recorded("04", 66)["status"], body.items[0]?.["status"])).toEqual([]);
  const set = await test.until(
    `${deployments}/web`,
    (answer) => at(answer.body, "status", "unavailableReplicas") === 1,
  );
  expect(differences(recorded("04", 67)["status"], set.body["status"])).toEqual([]);
});

test("a container that ends again and again looks as recorded (CrashLoopBackOff with lastState)", async () => {
  await using test = await testCluster();
  test.cluster.faults.crashLoop("example/app", 3);
  await test.apply(`${deployments}/web`, deployment("web"));
  const { body } = await test.until(pods, (answer) => {
    const status = listOf(at(answer.body.items[0], "status", "containerStatuses"))[0];
    return waitingReason(answer.body.items[0]) === "CrashLoopBackOff" && at(status, "restartCount") === 2;
  });
  expect(differences(recorded("04", 81)["status"], body.items[0]?.["status"])).toEqual([]);
});

test("a container killed for its memory looks as recorded (OOMKilled, exit 137)", async () => {
  await using test = await testCluster();
  test.cluster.faults.oomKill("example/app");
  await test.apply(`${deployments}/web`, deployment("web", { resources: { limits: { memory: "24Mi" } } }));
  const { body } = await test.until(pods, (answer) => waitingReason(answer.body.items[0]) === "CrashLoopBackOff");
  expect(differences(recorded("04", 92)["status"], body.items[0]?.["status"])).toEqual([]);
});

test("a container that runs and never becomes ready looks as recorded", async () => {
  await using test = await testCluster();
  test.cluster.faults.neverReady("example/app");
  await test.apply(`${deployments}/web`, deployment("web"));
  const { body } = await test.until(pods, (answer) => at(answer.body.items[0], "status", "phase") === "Running");
  expect(differences(recorded("04", 103)["status"], body.items[0]?.["status"])).toEqual([]);
});

test("a missing Secret shows as recorded (CreateContainerConfigError), and the pod goes on when it appears", async () => {
  await using test = await testCluster();
  const env = [{ name: "A", valueFrom: { secretKeyRef: { name: "absent", key: "a" } } }];
  await test.apply(`${deployments}/web`, deployment("web", { env }));
  const { body } = await test.until(
    pods,
    (answer) => waitingReason(answer.body.items[0]) === "CreateContainerConfigError",
  );
  expect(differences(recorded("04", 113)["status"], body.items[0]?.["status"])).toEqual([]);
  await test.call("POST", "/api/v1/namespaces/default/secrets", {
    metadata: { name: "absent" },
    stringData: { a: "1" },
  });
  await test.until(`${deployments}/web`, (answer) => at(answer.body, "status", "availableReplicas") === 1);
});

test("a pod that fits on no node looks as recorded (Unschedulable)", async () => {
  await using test = await testCluster();
  await test.apply(`${deployments}/web`, deployment("web", { resources: { requests: { cpu: "100" } } }));
  const { body } = await test.until(
    pods,
    (answer) => listOf(at(answer.body.items[0], "status", "conditions")).length > 0,
  );
  expect(differences(recorded("04", 128)["status"], body.items[0]?.["status"])).toEqual([]);
});

test("a refused pod shows at its Deployment as recorded (ReplicaFailure)", async () => {
  await using test = await testCluster();
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await test.call("POST", "/api/v1/namespaces", { metadata: { name: "strict", labels } });
  const path = "/apis/apps/v1/namespaces/strict/deployments/web";
  await test.apply(path, deployment("web"));
  const { body } = await test.until(path, (answer) => JSON.stringify(answer.body).includes("ReplicaFailure"));
  expect(differences(recorded("03", 33)["status"], body["status"])).toEqual([]);
});

test("a roll that makes no progress looks as recorded (ProgressDeadlineExceeded) and keeps the old pods", async () => {
  await using test = await testCluster();
  const path = `${deployments}/web`;
  const spec = { replicas: 2, progressDeadlineSeconds: 1, minReadySeconds: 0 };
  await test.apply(path, deployment("web", {}, spec));
  await test.until(path, (answer) => at(answer.body, "status", "availableReplicas") === 2);
  test.cluster.faults.failImagePull("example/bad");
  await test.apply(path, deployment("web", { image: "example/bad:1" }, spec));
  const { body } = await test.until(path, (answer) => JSON.stringify(answer.body).includes("ProgressDeadlineExceeded"));
  const status = recordOf(body["status"]);
  expect(
    differences(
      { ...recordOf(recorded("04", 46)["status"]), observedGeneration: 0 },
      { ...status, observedGeneration: 0 },
    ),
  ).toEqual([]);
});

test("claims look as recorded: Pending for the first consumer, Bound with it, Pending when binding stops", async () => {
  await using test = await testCluster();
  const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
  const claim = (name: string): object => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  await test.apply(`${claims}/data`, claim("data"));
  const pending = await test.get(`${claims}/data`);
  expect(differences(recorded("05", 14)["status"], pending.body["status"])).toEqual([]);
  const use = (name: string): object => ({
    metadata: { name },
    spec: {
      containers: [{ name: "c", image: "a:1", volumeMounts: [{ name: "v", mountPath: "/data" }] }],
      volumes: [{ name: "v", persistentVolumeClaim: { claimName: name } }],
    },
  });
  await test.call("POST", pods, use("data"));
  const bound = await test.until(`${claims}/data`, (answer) => at(answer.body, "status", "phase") === "Bound");
  expect(differences(recorded("05", 9)["status"], bound.body["status"])).toEqual([]);
  test.cluster.faults.stopBinding("stuck");
  await test.apply(`${claims}/stuck`, claim("stuck"));
  await test.call("POST", pods, use("stuck"));
  await test.until(
    `${claims}/stuck`,
    (answer) => at(answer.body, "metadata", "annotations", "volume.kubernetes.io/selected-node") !== undefined,
  );
  expect(at((await test.get(`${claims}/stuck`)).body, "status", "phase")).toBe("Pending");
  test.cluster.faults.clear();
  await test.until(`${pods}/stuck`, (answer) => at(answer.body, "status", "phase") === "Running");
});

test("a claim that is asked for more grows with its volume, or says why not and grows when the reason is gone", async () => {
  await using test = await testCluster();
  const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
  const merge = "application/merge-patch+json";
  const classPath = "/apis/storage.k8s.io/v1/storageclasses/local-path";
  await test.call("PATCH", classPath, { allowVolumeExpansion: true }, merge);
  const claim = (storage: string): object => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
  await test.apply(`${claims}/data`, claim("1Gi"));
  await test.call("POST", "/api/v1/namespaces/default/pods", {
    metadata: { name: "data" },
    spec: {
      containers: [{ name: "c", image: "a:1", volumeMounts: [{ name: "v", mountPath: "/data" }] }],
      volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
    },
  });
  const { body } = await test.until(`${claims}/data`, (answer) => at(answer.body, "status", "phase") === "Bound");
  const volume = `/api/v1/persistentvolumes/pvc-${String(at(body, "metadata", "uid"))}`;
  const volumeSize = async () => at((await test.get(volume)).body, "spec", "capacity", "storage");
  for (const [how, condition, asked, had, disk] of [
    ["failed", "ControllerResizeError", "2Gi", "1Gi", "1Gi"],
    ["waiting", "FileSystemResizePending", "3Gi", "2Gi", "3Gi"],
  ] as const) {
    test.cluster.faults.stopGrowth(how);
    await test.apply(`${claims}/data`, claim(asked));
    const stuck = await test.until(`${claims}/data`, (answer) => JSON.stringify(answer.body).includes(condition));
    expect(at(stuck.body, "status", "capacity", "storage")).toBe(had);
    expect(await volumeSize()).toBe(disk);
    test.cluster.faults.clear();
    const grown = await test.until(
      `${claims}/data`,
      (answer) => at(answer.body, "status", "capacity", "storage") === asked,
    );
    expect(at(grown.body, "status", "conditions")).toBeUndefined();
    expect(await volumeSize()).toBe(asked);
  }
});

test("Jobs look as recorded when they end well and when they fail, with their pods", async () => {
  await using test = await testCluster();
  test.cluster.faults.failJobs("bad", 4);
  const jobs = "/apis/batch/v1/namespaces/default/jobs";
  const spec = {
    backoffLimit: 1,
    template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "a:1" }] } },
  };
  for (const name of ["good", "bad"]) await test.call("POST", jobs, { metadata: { name }, spec });
  const good = await test.until(`${jobs}/good`, (answer) => JSON.stringify(answer.body).includes('"Complete"'));
  expect(differences(recorded("06", 4)["status"], good.body["status"])).toEqual([]);
  const bad = await test.until(`${jobs}/bad`, (answer) => JSON.stringify(answer.body).includes('"Failed"'));
  expect(differences(recorded("06", 16)["status"], bad.body["status"])).toEqual([]);
  const failed = await test.get(`${pods}?labelSelector=job-name=bad`);
  expect(differences(recorded("06", 18)["status"], failed.body.items[0]?.["status"])).toEqual([]);
});

test("a namespace that cannot end says why, as recorded", async () => {
  await using test = await testCluster();
  await test.call("POST", "/api/v1/namespaces", { metadata: { name: "held" } });
  const metadata = { name: "held", finalizers: ["example.com/hold"] };
  await test.call("POST", "/api/v1/namespaces/held/configmaps", { metadata });
  await test.call("DELETE", "/api/v1/namespaces/held");
  const { body } = await test.until("/api/v1/namespaces/held", (answer) =>
    JSON.stringify(answer.body).includes("SomeFinalizersRemain"),
  );
  expect(differences(recorded("01", 49)["status"], body["status"])).toEqual([]);
});
