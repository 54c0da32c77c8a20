import { describe, expect, test } from "vitest";
import { testApp, testSpec } from "../testing/specs.ts";
import { deriveObservation, unknownObservation } from "./derive.ts";
import type { InstanceFacts, NamespaceFact, WorkloadFact } from "./facts.ts";
import type { Look } from "./look.ts";
import type { PodFact } from "./pods.ts";

const spec = testSpec();
const claimed = testSpec({ ownerClaimed: true });
const now = Date.parse("2026-11-21T08:00:00Z");
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

const workload: WorkloadFact = {
  name: "kuma",
  desiredReplicas: 1,
  replicas: 1,
  isReady: true,
  isRolledOut: true,
  deadlineExceeded: false,
  refusal: null,
};
const pod: PodFact = {
  name: "kuma-1",
  workload: "kuma",
  phase: "Running",
  ready: true,
  deleting: false,
  restarts: 0,
  nodeName: "node1",
  reason: null,
  startedAt: ago(100),
};
const down = { ...workload, isReady: false };
const unready = (reason: PodFact["reason"]): PodFact => ({ ...pod, ready: false, reason });

const ours: NamespaceFact = {
  uid: "1",
  instanceId: spec.instanceId,
  houseId: spec.houseId,
  deletingSince: null,
  blockedBy: [],
};

function facts(change: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    namespace: ours,
    workloads: [workload],
    pods: [pod],
    jobs: [],
    volumes: [{ name: "data", state: "bound", capacityBytes: 2 ** 30, growth: "none", createdAt: ago(100) }],
    ingresses: [{ name: "address", createdAt: ago(1000) }],
    lostNodes: new Set(),
    ...change,
  };
}

function look(change: Partial<InstanceFacts> = {}, more: Partial<Look> = {}): Look {
  return { facts: facts(change), claimJob: null, health: "unasked", now, ...more };
}

describe("an instance that is to run", () => {
  test("runs when pods, claim and address are there", () => {
    const observation = deriveObservation(claimed, look());
    expect(observation).toMatchObject({ existence: "present", phase: "running", reason: null, nodeName: "node1" });
    expect(observation.steps).toEqual({
      namespace: "done",
      secrets: "done",
      volume: "done",
      workload: "done",
      pods: "done",
      claim: "done",
      address: "done",
      health: "done",
      ready: "done",
    });
    expect(observation.conditions.map(({ type, status }) => `${type}=${status}`).toSorted()).toEqual([
      "AddressOpen=True",
      "Applied=True",
      "OwnerClaimed=True",
      "PodsReady=True",
      "VolumeBound=True",
    ]);
  });

  test("is provisioning while its pods start", () => {
    const observation = deriveObservation(
      spec,
      look({ workloads: [{ ...down, isRolledOut: false }], pods: [unready("STARTING")], ingresses: [] }),
    );
    expect(observation).toMatchObject({
      phase: "provisioning",
      reason: "STARTING",
      steps: { pods: "running", claim: "pending", ready: "pending" },
    });
  });

  test("shows why a pod does not start, and still waits for it", () => {
    const first = look({
      workloads: [{ ...down, isRolledOut: false }],
      pods: [unready("IMAGE_PULL_FAILED")],
      ingresses: [],
    });
    expect(deriveObservation(spec, first)).toMatchObject({ phase: "provisioning", reason: "IMAGE_PULL_FAILED" });
  });

  test("has failed when its rollout ran out of time, with the pod's own reason", () => {
    const late = look({
      workloads: [{ ...down, isRolledOut: false, deadlineExceeded: true }],
      pods: [unready("CRASH_LOOP")],
      ingresses: [],
    });
    expect(deriveObservation(spec, late)).toMatchObject({
      phase: "failed",
      reason: "CRASH_LOOP",
      steps: { pods: "failed" },
    });
    const silent = look({
      workloads: [{ ...down, isRolledOut: false, deadlineExceeded: true }],
      pods: [unready("STARTING")],
      ingresses: [],
    });
    expect(deriveObservation(spec, silent)).toMatchObject({ phase: "failed", reason: "DEADLINE_EXCEEDED" });
  });

  test("is degraded when it ran before and its pod fails now", () => {
    const observation = deriveObservation(claimed, look({ workloads: [down], pods: [unready("OUT_OF_MEMORY")] }));
    expect(observation).toMatchObject({ phase: "degraded", reason: "OUT_OF_MEMORY" });
    expect(observation.pods[0]).toMatchObject({ reason: "OUT_OF_MEMORY", message: expect.stringContaining("memory") });
  });

  test("names the lost machine as the cause, not what followed from it", () => {
    const observation = deriveObservation(
      claimed,
      look({ workloads: [down], pods: [unready("NOT_READY")], lostNodes: new Set(["node1"]) }),
    );
    expect(observation).toMatchObject({ phase: "degraded", reason: "NODE_LOST" });
    expect(observation.message).not.toContain("node1");
  });

  test("is claimed before its address opens", () => {
    const running = look({ ingresses: [], jobs: [{ name: "claim-1", state: "running" }] }, { claimJob: "claim-1" });
    expect(deriveObservation(spec, running)).toMatchObject({
      phase: "provisioning",
      reason: "CLAIM_RUNNING",
      ownerClaimed: false,
      steps: { claim: "running", address: "pending" },
    });
    const done = look({ ingresses: [], jobs: [{ name: "claim-1", state: "complete" }] }, { claimJob: "claim-1" });
    expect(deriveObservation(spec, done)).toMatchObject({
      ownerClaimed: true,
      steps: { claim: "done", address: "running" },
    });
  });

  test("is not claimed by a job of another content", () => {
    const other = look({ ingresses: [], jobs: [{ name: "claim-0", state: "complete" }] }, { claimJob: "claim-1" });
    expect(deriveObservation(spec, other)).toMatchObject({ ownerClaimed: false, reason: "CLAIM_RUNNING" });
  });

  test("has failed when the claim has", () => {
    const failed = look({ ingresses: [], jobs: [{ name: "claim-1", state: "failed" }] }, { claimJob: "claim-1" });
    expect(deriveObservation(spec, failed)).toMatchObject({
      phase: "failed",
      reason: "CLAIM_FAILED",
      steps: { claim: "failed", pods: "done" },
    });
  });

  test("needs no claim when the app has none", () => {
    const observation = deriveObservation(testSpec({ app: testApp({ claim: null }) }), look());
    expect(observation).toMatchObject({ phase: "running", steps: { claim: "skipped" } });
    expect(observation.conditions.map(({ type }) => type)).not.toContain("OwnerClaimed");
  });

  test("with an address that does not answer is starting while the address is new, degraded later", () => {
    const fresh = look({ ingresses: [{ name: "address", createdAt: ago(5) }] }, { health: "unhealthy" });
    expect(deriveObservation(claimed, fresh)).toMatchObject({
      phase: "provisioning",
      reason: "HEALTH_CHECK_FAILED",
      steps: { health: "running" },
    });
    expect(deriveObservation(claimed, look({}, { health: "unhealthy" }))).toMatchObject({ phase: "degraded" });
    expect(deriveObservation(claimed, look({}, { health: "healthy" }))).toMatchObject({ phase: "running" });
  });

  test("waits for storage a minute before it calls that a fault", () => {
    const waiting = (seconds: number): Look =>
      look({
        workloads: [{ ...down, isRolledOut: false }],
        pods: [unready("STARTING")],
        volumes: [
          { name: "data", state: "pending", capacityBytes: null, growth: "none" as const, createdAt: ago(seconds) },
        ],
        ingresses: [],
      });
    expect(deriveObservation(spec, waiting(10))).toMatchObject({ reason: "STARTING", steps: { volume: "running" } });
    expect(deriveObservation(spec, waiting(90))).toMatchObject({ reason: "VOLUME_UNBOUND" });
  });

  test("was refused by its quota, unless an old pod is only still in the way", () => {
    const refused = { ...down, replicas: 0, refusal: "QUOTA_EXCEEDED" as const };
    expect(deriveObservation(claimed, look({ workloads: [refused], pods: [] })).reason).toBe("QUOTA_EXCEEDED");
    const going = { ...unready("STOPPING"), deleting: true };
    expect(deriveObservation(claimed, look({ workloads: [refused], pods: [going] })).reason).toBe("STARTING");
  });
});

describe("an instance that is to be stopped", () => {
  const stopped = testSpec({ phase: "stopped", ownerClaimed: true });
  const scaled = { ...workload, desiredReplicas: 0, replicas: 0, isReady: true };

  test("is stopped when no pod is left, and its volume is still there", () => {
    const observation = deriveObservation(stopped, look({ workloads: [scaled], pods: [] }));
    expect(observation).toMatchObject({
      phase: "stopped",
      reason: null,
      nodeName: null,
      steps: { pods: "done", ready: "done" },
    });
    expect(observation.conditions).toContainEqual({ type: "VolumeBound", status: "True", reason: null, message: null });
  });

  test("is still stopping while a pod ends, although its controller counts none any more", () => {
    const going = { ...unready("STOPPING"), deleting: true };
    expect(deriveObservation(stopped, look({ workloads: [scaled], pods: [going] }))).toMatchObject({
      phase: "running",
      reason: "STOPPING",
    });
  });

  test("is not stopped before its controller was told", () => {
    expect(deriveObservation(stopped, look({ pods: [] }))).toMatchObject({ phase: "running", reason: "STOPPING" });
  });
});

describe("an instance that is to be absent", () => {
  const absent = testSpec({ phase: "absent", ownerClaimed: true });

  test("is absent only when its namespace is gone", () => {
    expect(deriveObservation(absent, look({ namespace: null }))).toMatchObject({
      existence: "absent",
      phase: "absent",
    });
    expect(deriveObservation(absent, look())).toMatchObject({
      existence: "present",
      phase: "deleting",
      reason: "DELETING",
    });
  });

  test("is stuck when its removal takes too long", () => {
    const since = (seconds: number): Look => look({ namespace: { ...ours, deletingSince: ago(seconds) } });
    expect(deriveObservation(absent, since(60))).toMatchObject({ phase: "deleting", reason: "DELETING" });
    expect(deriveObservation(absent, since(3600))).toMatchObject({ phase: "deleting", reason: "DELETION_STUCK" });
  });

  test("owns nothing in a namespace of somebody else", () => {
    const foreign = look({ namespace: { ...ours, instanceId: null } });
    expect(deriveObservation(absent, foreign)).toMatchObject({ existence: "absent", phase: "absent", reason: null });
    expect(deriveObservation(spec, foreign)).toMatchObject({
      existence: "absent",
      phase: "failed",
      reason: "NAME_TAKEN",
    });
  });
});

test("a failed look says nothing about the instance, only why", () => {
  expect(unknownObservation(claimed, "CLUSTER_UNREACHABLE", false)).toMatchObject({
    existence: "unknown",
    phase: "unknown",
    reason: "CLUSTER_UNREACHABLE",
    ownerClaimed: true,
    pods: [],
    steps: {},
  });
});
