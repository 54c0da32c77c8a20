import type { CoreContext } from "../context.ts";
import { createInstanceStore, type Observation } from "../instances/index.ts";

/** What a cluster reports when everything went as wanted. */
export const observations = {
  running: {
    existence: "present",
    phase: "running",
    reason: null,
    message: null,
    pods: [
      {
        name: "app-1",
        workload: "app",
        phase: "Running",
        ready: true,
        restarts: 0,
        nodeName: "pc-2",
        reason: null,
        message: null,
        startedAt: null,
      },
    ],
    conditions: [{ type: "PodsReady", status: "True", reason: null, message: null }],
    nodeName: "pc-2",
    ownerClaimed: true,
    steps: {
      namespace: "done",
      secrets: "done",
      volume: "done",
      workload: "done",
      pods: "done",
      claim: "done",
      address: "done",
      health: "done",
    },
  },
  stopped: {
    existence: "present",
    phase: "stopped",
    reason: null,
    message: null,
    pods: [],
    conditions: [],
    nodeName: "pc-2",
    ownerClaimed: true,
    steps: { volume: "done", workload: "done", pods: "done" },
  },
  absent: {
    existence: "absent",
    phase: "absent",
    reason: null,
    message: null,
    pods: [],
    conditions: [],
    nodeName: null,
    ownerClaimed: false,
    steps: { pods: "done", namespace: "done" },
  },
  crashing: {
    existence: "present",
    phase: "provisioning",
    reason: "CRASH_LOOP",
    message: null,
    pods: [],
    conditions: [],
    nodeName: null,
    ownerClaimed: false,
    steps: { namespace: "done", workload: "done", pods: "running" },
  },
} as const satisfies Record<string, Observation>;

/**
 * One pass of a provisioner whose cluster does at once what is wanted, through the door that the real one uses; or that
 * shows `instead`.
 */
export async function provisionOnce(
  ctx: CoreContext,
  instanceId: string,
  instead?: Observation,
): Promise<{ readonly settled: boolean }> {
  const store = createInstanceStore(ctx, `test-${ctx.ids.next()}`);
  await using lease = await store.lease(instanceId);
  if (lease === null) throw new Error("Somebody else holds the lease.");
  const loaded = await store.load(lease);
  if (loaded === null) throw new Error("There is nothing to provision.");
  // Awaited here: the lease ends with this function.
  return await store.recordObserved(lease, loaded.spec.generation, instead ?? observations[loaded.spec.phase]);
}
