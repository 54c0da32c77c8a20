import { type Observation, type ReasonCode, reasonCodes } from "@sewa/core";
import { expect, test } from "vitest";
import { namespaceName } from "./render/index.ts";
import type { InstanceSpec } from "./render/types.ts";
import { testApp, testClaim, testWorkload } from "./testing/specs.ts";
import { until } from "./testing/until.ts";
import { newSpec, startWorld, type World } from "./testing/world.ts";

interface Case {
  readonly spec?: Partial<InstanceSpec>;
  /** Of our clock, ahead of the cluster's; what takes long is not waited for. */
  readonly aheadMs?: number;
  /** Leads to nowhere, so that the app's address does not answer. */
  readonly ingressAddress?: string;
  /** Whether it has run before it goes wrong. */
  readonly hasRun?: boolean;
  readonly goWrong: (world: World, spec: InstanceSpec) => Promise<unknown> | void;
  readonly phase: Observation["phase"];
}

const minuteMs = 60_000;
const stopped = { phase: "stopped", generation: 2 } as const;
const absent = { phase: "absent", generation: 2 } as const;
const appPath = ({ instanceId }: InstanceSpec, rest: string): string =>
  `/api/v1/namespaces/${namespaceName(instanceId)}${rest}`;

/** A finalizer of somebody else on the pod: it is asked to go and stays. */
async function holdPod(world: World, spec: InstanceSpec): Promise<void> {
  const [pod] = world.objects(spec, "Pod");
  await world.byHand("PATCH", appPath(spec, `/pods/${pod!.metadata.name}`), {
    metadata: { finalizers: ["example.com/hold"] },
  });
}

/** The machine does not answer, so its pods neither serve nor end. */
function loseNode(world: World, spec: InstanceSpec): void {
  world.devcluster.faults.setNodeReady(world.last(spec)!.nodeName!, false);
}

const larger = { generation: 2, limits: { ...newSpec().limits, storageBytes: 2 * newSpec().limits.storageBytes } };

/** The storage says that it can grow, and does not. */
async function askForMore(world: World, how: "failed" | "waiting"): Promise<void> {
  await world.byHand("PATCH", "/apis/storage.k8s.io/v1/storageclasses/local-path", { allowVolumeExpansion: true });
  world.devcluster.faults.stopGrowth(how);
}

/** How each reason comes about. A code that nothing here brings about does not compile. */
const cases: Readonly<Record<ReasonCode, Case>> = {
  IMAGE_PULL_FAILED: {
    goWrong: ({ devcluster }) => devcluster.faults.failImagePull("busybox"),
    phase: "provisioning",
  },
  CRASH_LOOP: { goWrong: ({ devcluster }) => devcluster.faults.crashLoop("busybox"), phase: "provisioning" },
  OUT_OF_MEMORY: { goWrong: ({ devcluster }) => devcluster.faults.oomKill("busybox"), phase: "provisioning" },
  CONFIG_ERROR: { goWrong: ({ devcluster }) => devcluster.faults.failConfig("busybox"), phase: "provisioning" },
  UNSCHEDULABLE: {
    goWrong({ devcluster }) {
      for (const { metadata } of devcluster.objects("Node")) devcluster.faults.setNodeReady(metadata.name, false);
    },
    phase: "provisioning",
  },
  VOLUME_UNBOUND: {
    goWrong: ({ devcluster }) => devcluster.faults.stopBinding(),
    aheadMs: 2 * minuteMs,
    phase: "provisioning",
  },
  VOLUME_GROWING: { hasRun: true, goWrong: (world) => askForMore(world, "waiting"), spec: larger, phase: "running" },
  VOLUME_NOT_GROWN: { hasRun: true, goWrong: (world) => askForMore(world, "failed"), spec: larger, phase: "running" },
  QUOTA_EXCEEDED: {
    goWrong: ({ devcluster }) => void devcluster.faults.answer({ verb: "patch", plural: "deployments" }, "quota"),
    phase: "unknown",
  },
  POD_SECURITY: {
    spec: { app: testApp({ workloads: [testWorkload({ security: { ...testWorkload().security, runAsUser: 0 } })] }) },
    goWrong: () => undefined,
    phase: "provisioning",
  },
  STARTING: { goWrong: ({ devcluster }) => devcluster.faults.neverReady("busybox"), phase: "provisioning" },
  NOT_READY: {
    hasRun: true,
    async goWrong(world, spec) {
      // Whether it was ready before is told from whole seconds of the cluster's clock.
      const started = Date.parse(world.last(spec)!.pods[0]!.startedAt!);
      await until("the pod is two seconds old", () => Date.now() >= started + 2_000);
      world.devcluster.faults.neverReady("busybox");
    },
    phase: "degraded",
  },
  CLAIM_RUNNING: {
    spec: { ownerClaimed: false, app: testApp({ claim: testClaim({ command: ["sh", "-c", "sleep 600"] }) }) },
    goWrong: () => undefined,
    phase: "provisioning",
  },
  CLAIM_FAILED: {
    spec: { ownerClaimed: false },
    goWrong: ({ devcluster }) => devcluster.faults.failJobs("claim-"),
    phase: "failed",
  },
  HEALTH_CHECK_FAILED: {
    spec: { app: testApp({ healthChecks: [{ name: "page", type: "http", url: "https://kuma.apps.example.com/" }] }) },
    ingressAddress: "127.0.0.1:9",
    aheadMs: 2 * minuteMs,
    goWrong: () => undefined,
    phase: "degraded",
  },
  STOPPING: { hasRun: true, goWrong: loseNode, spec: stopped, phase: "running" },
  DELETING: { hasRun: true, goWrong: holdPod, spec: absent, phase: "deleting" },
  DELETION_STUCK: { hasRun: true, goWrong: holdPod, spec: absent, aheadMs: 16 * minuteMs, phase: "deleting" },
  NAME_TAKEN: {
    goWrong: (world, { instanceId }) =>
      world.byHand("POST", "/api/v1/namespaces", { metadata: { name: namespaceName(instanceId) } }),
    phase: "failed",
  },
  INVALID_OBJECT: {
    goWrong: ({ devcluster }) =>
      void devcluster.faults.answer({ verb: "patch", plural: "deployments" }, { status: 422 }),
    phase: "failed",
  },
  CLUSTER_UNREACHABLE: {
    goWrong: ({ devcluster }) => void devcluster.faults.answer({}, { status: 503 }),
    phase: "unknown",
  },
  CLUSTER_DENIED: {
    goWrong: ({ devcluster }) => void devcluster.faults.answer({ verb: "patch" }, { status: 403 }),
    phase: "unknown",
  },
  NODE_LOST: { hasRun: true, goWrong: loseNode, phase: "degraded" },
  DEADLINE_EXCEEDED: {
    spec: { app: testApp({ provisionDeadlineSeconds: 1 }) },
    goWrong: ({ devcluster }) => devcluster.faults.neverReady("busybox"),
    phase: "failed",
  },
};

test.each(reasonCodes)("%s is what an instance says when a real cluster would show it so", async (code) => {
  const { spec: change = {}, aheadMs = 0, ingressAddress, hasRun = false, goWrong, phase } = cases[code];
  await using world = await startWorld({
    connect: { now: () => Date.now() + aheadMs, ...(ingressAddress === undefined ? {} : { ingressAddress }) },
  });
  const spec = newSpec(hasRun ? {} : change);
  if (hasRun) await world.running(spec);
  await goWrong(world, spec);
  const wanted = hasRun ? { ...spec, ...change } : spec;
  // A volume that does not grow does not keep the app from running: its condition tells.
  const says = ({ reason, message, conditions }: Observation) =>
    [{ reason, message }, ...conditions].find((said) => said.reason === code);
  const seen = await world.bring(wanted, `it says ${code}`, (last) => says(last) !== undefined);
  expect(seen.phase).toBe(phase);
  expect(says(seen)?.message).toMatch(/^[A-Z].*\.$/u);
});
