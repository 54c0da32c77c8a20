import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startDevcluster } from "@sewa/devcluster";
import { describe, expect, test } from "vitest";
import type { Cluster } from "./cluster/cluster.ts";
import { connectCluster, type ConnectOptions } from "./cluster/connect.ts";
import { InvalidObject } from "./errors.ts";
import { reconcileInstance } from "./reconcile.ts";
import { answer, startHttpServer } from "./testing/http-server.ts";
import { createMemoryStore } from "./testing/memory-store.ts";
import { testSettings, testSpec } from "./testing/specs.ts";
import { until } from "./testing/until.ts";

const never = new AbortController().signal;
const log = { warn: (): void => undefined };
const newSpec = (): ReturnType<typeof testSpec> => testSpec({ instanceId: randomUUID() });
const connect = (kubeconfig: string, more: Partial<ConnectOptions> = {}): Cluster =>
  connectCluster({ kubeconfig, settings: testSettings, log, ...more });

type Handler = (request: IncomingMessage & { readonly url: string }, response: ServerResponse) => void;

/** One pass against an API server that answers as told: 404 to a look at the namespace, `handler` to a write. */
async function pass(handler: Handler, spec = newSpec()) {
  await using server = await startHttpServer((request, response) =>
    request.method === "GET" ? answer(response, 404, { kind: "Status", code: 404 }) : handler(request, response),
  );
  await using cluster = connect(server.kubeconfig, { requestTimeoutMs: 300 });
  const instances = createMemoryStore();
  instances.set(spec);
  const outcome = await reconcileInstance({ instances, cluster }, spec.instanceId, { signal: never }).catch(
    (error: Error) => error,
  );
  return {
    outcome,
    observations: instances.observations(spec.instanceId),
    isLeased: instances.isLeased(spec.instanceId),
  };
}

describe("a pass that cannot make its change records why, gives the lease back, and", () => {
  test("K6 is to be retried when the server has a fault", async () => {
    const { outcome, observations, isLeased } = await pass((_, response) => answer(response, 503, "away"));
    expect(outcome).toMatchObject({ name: "ClusterUnreachable" });
    expect(observations).toMatchObject([{ existence: "unknown", phase: "unknown", reason: "CLUSTER_UNREACHABLE" }]);
    expect(isLeased).toBe(false);
  });

  test("K5 waits as long as a busy server asks for", async () => {
    const { outcome } = await pass((_, response) => answer(response, 429, "busy", { "retry-after": "7" }));
    expect(outcome).toEqual({ outcome: "progressing", requeueAfterMs: 7_000 });
  });

  test("K3 is retried when the server does not answer", async () => {
    const { outcome, observations } = await pass(() => undefined);
    expect(outcome).toMatchObject({ name: "ClusterUnreachable" });
    expect(observations).toHaveLength(1);
  });

  test("K9 asks a refusing server no more than once a minute", async () => {
    const { outcome, observations } = await pass((_, response) =>
      answer(response, 403, { kind: "Status", message: "forbidden" }),
    );
    expect(outcome).toEqual({ outcome: "progressing", requeueAfterMs: 60_000 });
    expect(observations).toMatchObject([{ existence: "unknown", reason: "CLUSTER_DENIED" }]);
  });

  test.each([
    [409, "Conflict"],
    [404, "NotFound"],
  ])("K7 looks again and is retried when somebody else was faster: %i", async (code, name) => {
    const { outcome, observations } = await pass((_, response) => answer(response, code, { kind: "Status" }));
    expect(outcome).toMatchObject({ name });
    expect(observations).toMatchObject([{ existence: "absent" }]);
  });

  test("K10 stops for good at an object that the server will never take", async () => {
    const { outcome, observations } = await pass((_, response) =>
      answer(response, 422, { kind: "Status", message: "invalid" }),
    );
    expect(outcome).toBeInstanceOf(InvalidObject);
    expect(observations).toMatchObject([{ existence: "unknown", phase: "failed", reason: "INVALID_OBJECT" }]);
  });
});

describe("a pass", () => {
  test("is converged for an instance that is gone for good", async () => {
    await using server = await startHttpServer((_, response) => answer(response, 500, ""));
    await using cluster = connect(server.kubeconfig);
    const instances = createMemoryStore();
    const outcome = await reconcileInstance({ instances, cluster }, randomUUID(), { signal: never });
    expect(outcome).toEqual({ outcome: "converged" });
    expect(server.connections()).toBe(0);
  });

  test("Q12 leaves an instance alone that somebody else holds", async () => {
    await using server = await startHttpServer((_, response) => answer(response, 500, ""));
    await using cluster = connect(server.kubeconfig);
    const instances = createMemoryStore();
    const spec = newSpec();
    instances.set(spec);
    await using held = await instances.lease(spec.instanceId);
    expect(held).not.toBeNull();
    const outcome = await reconcileInstance({ instances, cluster }, spec.instanceId, { signal: never });
    expect(outcome).toMatchObject({ outcome: "busy" });
    expect(server.connections()).toBe(0);
  });

  test("that loses its lease stops at once, and writes and records nothing more", async () => {
    await using devcluster = await startDevcluster({ port: 0, pace: 0 });
    const instances = createMemoryStore();
    const spec = newSpec();
    instances.set(spec);
    const effects: string[] = [];
    await using cluster = connect(devcluster.kubeconfig, {
      effect: (name, change) => {
        effects.push(name);
        if (name === "apply:Secret") instances.loseLease(spec.instanceId);
        return change();
      },
    });
    const outcome = await reconcileInstance({ instances, cluster }, spec.instanceId, { signal: never });
    expect(outcome).toMatchObject({ outcome: "busy" });
    expect(effects.at(-1)).toBe("apply:Secret");
    expect(instances.observations(spec.instanceId)).toEqual([]);
  });

  test("ends with the worker's reason when the worker stops", async () => {
    await using server = await startHttpServer(() => undefined);
    await using cluster = connect(server.kubeconfig);
    const instances = createMemoryStore();
    const spec = newSpec();
    instances.set(spec);
    const stop = new AbortController();
    const call = reconcileInstance({ instances, cluster }, spec.instanceId, { signal: stop.signal });
    await until("it asks", () => server.connections() > 0);
    stop.abort(new Error("The worker stops."));
    await expect(call).rejects.toThrow("The worker stops.");
    expect(instances.isLeased(spec.instanceId)).toBe(false);
  });
});

/** Provisions, with a fault in place of the n-th write; answers how many writes there were. */
async function provisionWithFault(at: number, isBefore: boolean): Promise<number> {
  await using devcluster = await startDevcluster({ port: 0, pace: 0 });
  const instances = createMemoryStore();
  const spec = newSpec();
  instances.set(spec);
  let writes = 0;
  const effect: NonNullable<ConnectOptions["effect"]> = async (_, change) => {
    writes += 1;
    if (writes !== at) return change();
    if (!isBefore) await change();
    throw new Error("The worker was killed.");
  };
  let cluster = connect(devcluster.kubeconfig, { effect });
  try {
    await until(`it runs after a fault at write ${String(at)}`, async () => {
      try {
        await reconcileInstance({ instances, cluster }, spec.instanceId, { signal: never });
      } catch {
        // A new process: it remembers nothing.
        await cluster[Symbol.asyncDispose]();
        cluster = connect(devcluster.kubeconfig, { effect });
      }
      return instances.observations(spec.instanceId).at(-1)?.phase === "running";
    });
    expect(devcluster.objects("Deployment")).toHaveLength(1);
    expect(devcluster.objects("Job")).toHaveLength(1);
    expect(devcluster.objects("Ingress")).toHaveLength(1);
    return writes;
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

test("K1 a worker that is killed before or after any write is followed by one that finishes, with nothing twice", async () => {
  const writes = await provisionWithFault(-1, true);
  expect(writes).toBeGreaterThan(12);
  for (let at = 1; at <= 15; at += 1) {
    await provisionWithFault(at, true);
    await provisionWithFault(at, false);
  }
});
