import { describe, expect, test } from "vitest";
import { recordedStates } from "../testing/recorded-states.ts";
import { toJobFact, toNamespaceFact, toVolumeFact, toWorkloadFact } from "./facts.ts";
import { toObservedNode } from "./nodes.ts";
import { toPodFact } from "./pods.ts";

const { pods, podSeries, deployments, statefulSets, jobs, volumeClaims, namespaces, nodes } = recordedStates;

describe("a real pod", () => {
  test.each([
    ["imagePull", "IMAGE_PULL_FAILED"],
    ["imageNever", "IMAGE_PULL_FAILED"],
    ["imageName", "IMAGE_PULL_FAILED"],
    ["crash", "CRASH_LOOP"],
    ["ended", "CRASH_LOOP"],
    ["oom", "OUT_OF_MEMORY"],
    ["badCommand", "CONFIG_ERROR"],
    ["missingSecret", "CONFIG_ERROR"],
    ["missingVolumeSource", "STARTING"],
    ["noRoom", "UNSCHEDULABLE"],
    ["noNode", "UNSCHEDULABLE"],
    ["noClaim", "VOLUME_UNBOUND"],
    ["notReady", "STARTING"],
  ])("in the state %s has the reason %s", (state, reason) => {
    expect(toPodFact(pods[state]!)).toMatchObject({ reason, ready: false });
  });

  test("that runs has no reason, and says where and since when", () => {
    expect(toPodFact(pods["running"]!)).toMatchObject({
      phase: "Running",
      ready: true,
      deleting: false,
      restarts: 0,
      nodeName: "node1",
      reason: null,
      startedAt: expect.stringMatching(/^2026-/u),
    });
  });

  test.each([
    ["imagePull", "IMAGE_PULL_FAILED"],
    ["crash", "CRASH_LOOP"],
    ["oom", "OUT_OF_MEMORY"],
    ["badCommand", "CONFIG_ERROR"],
    ["missingSecret", "CONFIG_ERROR"],
  ])("on its way into %s shows the reason from its first failure on, whenever one looks", (state, reason) => {
    const reasons = podSeries[state]!.map((pod) => toPodFact(pod)).map((fact): string | null =>
      fact.ready ? "ready" : fact.reason,
    );
    // A crashing program is running, and may count as ready, for the moment between two ends.
    const failed = reasons.slice(reasons.indexOf(reason)).filter((seen) => seen !== "ready");
    expect(reasons).toContain(reason);
    expect(new Set(failed)).toEqual(new Set([reason]));
  });

  test("that was ready and is no longer is told from one that starts", () => {
    const pod = structuredClone(pods["running"]!) as unknown as {
      status: { conditions: { type: string; status: string; lastTransitionTime: string }[] };
    };
    const ready = pod.status.conditions.find(({ type }) => type === "Ready")!;
    Object.assign(ready, { status: "False", lastTransitionTime: "2026-11-20T23:59:00Z" });
    expect(toPodFact(pod as never)).toMatchObject({ reason: "NOT_READY" });
  });

  test("that is going is not ready", () => {
    const metadata = { ...pods["running"]!.metadata, deletionTimestamp: "2026-11-20T23:59:00Z" };
    expect(toPodFact({ ...pods["running"]!, metadata })).toMatchObject({
      ready: false,
      deleting: true,
      reason: "STOPPING",
    });
  });
});

describe("a real Deployment", () => {
  test("is ready when the newest spec was seen and every wanted pod is available", () => {
    expect(toWorkloadFact(deployments["available"]!, "Deployment")).toMatchObject({ isReady: true, isRolledOut: true });
  });

  test("whose status is older than its spec is not ready", () => {
    const live = deployments["available"]!;
    const metadata = { ...live.metadata, generation: 9 };
    expect(toWorkloadFact({ ...live, metadata }, "Deployment")).toMatchObject({ isReady: false, isRolledOut: false });
  });

  test("at zero has no pods, although its counters are absent", () => {
    expect(toWorkloadFact(deployments["scaledToZero"]!, "Deployment")).toMatchObject({
      desiredReplicas: 0,
      replicas: 0,
    });
  });

  test("that waited too long says so", () => {
    expect(toWorkloadFact(deployments["deadlineExceeded"]!, "Deployment")).toMatchObject({
      isReady: false,
      isRolledOut: false,
      deadlineExceeded: true,
    });
  });

  test.each([
    ["podSecurity", "POD_SECURITY"],
    ["quota", "QUOTA_EXCEEDED"],
    ["limitRange", "QUOTA_EXCEEDED"],
    ["imagePull", null],
  ])("in the state %s was refused for %s", (state, refusal) => {
    expect(toWorkloadFact(deployments[state]!, "Deployment")).toMatchObject({ refusal, isReady: false });
  });
});

test("a real StatefulSet is ready when its pods run the newest revision", () => {
  for (const state of ["ready", "rolledOut", "scaledDown"]) {
    expect(toWorkloadFact(statefulSets[state]!, "StatefulSet")).toMatchObject({ isReady: true, isRolledOut: true });
  }
});

test("a real Job is told apart by how it ended", () => {
  const states = Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, toJobFact(job).state]));
  expect(states).toEqual({ complete: "complete", failed: "failed", tooLate: "failed", created: "running" });
});

test("a real claim is pending until it is bound", () => {
  expect(toVolumeFact(volumeClaims["bound"]!).state).toBe("bound");
  expect(toVolumeFact(volumeClaims["pending"]!).state).toBe("pending");
});

test("a real namespace without our label belongs to nobody of ours, and says since when it goes", () => {
  expect(toNamespaceFact(namespaces["active"]!)).toMatchObject({
    instanceId: null,
    deletingSince: null,
    blockedBy: [],
  });
  expect(toNamespaceFact(namespaces["terminating"]!).deletingSince).toBe("2026-11-20T23:22:07Z");
});

test("a real node is counted in thousandths of a core and bytes, without its heartbeats", () => {
  const node = toObservedNode(nodes["ready"]!);
  expect(node).toMatchObject({
    name: "node1",
    pool: "default",
    ready: true,
    schedulable: true,
    allocatableCpuMillis: 2000,
  });
  expect(node.allocatableMemoryBytes).toBeGreaterThan(1024 ** 3);
  expect(JSON.stringify(node)).not.toContain("Time");
});

test("a node that is cordoned or repels pods takes none", () => {
  const node = nodes["ready"]!;
  expect(toObservedNode({ ...node, spec: { unschedulable: true } }).schedulable).toBe(false);
  const taints = [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }];
  expect(toObservedNode({ ...node, spec: { taints } }).schedulable).toBe(false);
});
