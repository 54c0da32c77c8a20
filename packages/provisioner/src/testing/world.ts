import { randomUUID } from "node:crypto";
import type { Observation } from "@sewa/core";
import { type Devcluster, type DevclusterOptions, type KubeObject, startDevcluster } from "@sewa/devcluster";
import type { Cluster } from "../cluster/cluster.ts";
import { connectCluster, type ConnectOptions } from "../cluster/connect.ts";
import { reconcileInstance, type ReconcileOutcome } from "../reconcile.ts";
import { namespaceName } from "../render/index.ts";
import type { InstanceSpec } from "../render/types.ts";
import { startForwarder } from "./forwarder.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";
import { testSettings, testSpec } from "./specs.ts";
import { until } from "./until.ts";

/** A cluster in process, our client of it, and a database that is memory. */
export interface World extends AsyncDisposable {
  readonly devcluster: Devcluster;
  readonly cluster: Cluster;
  readonly store: MemoryStore;
  /** `GET /api/v1/namespaces/…`, in the order in which they were sent, watches left out. */
  readonly requests: string[];
  readonly warnings: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[];
  /** One pass, as the worker makes it. What it throws is answered: the queue would try again. */
  pass(spec: InstanceSpec): Promise<ReconcileOutcome | Error>;
  /** Passes until what was recorded last is as awaited. */
  bring(spec: InstanceSpec, what: string, isThere: (seen: Observation) => boolean): Promise<Observation>;
  running(spec: InstanceSpec): Promise<Observation>;
  last(spec: InstanceSpec): Observation | undefined;
  /** What is stored of the instance, of one kind. */
  objects(spec: InstanceSpec, kind: string): readonly KubeObject[];
  /** As an operator with kubectl: answers the HTTP status. */
  byHand(method: string, path: string, body?: unknown, type?: string): Promise<number>;
}

const never = new AbortController().signal;

export async function startWorld(
  options: { readonly devcluster?: DevclusterOptions; readonly connect?: Partial<ConnectOptions> } = {},
): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const devcluster = opening.use(await startDevcluster({ port: 0, pace: 0, ...options.devcluster }));
  const requests: string[] = [];
  const forwarder = opening.use(
    await startForwarder(devcluster, (method, url) => {
      if (url.searchParams.get("watch") !== "true") requests.push(`${method} ${url.pathname}`);
    }),
  );
  const warnings: { fields: Readonly<Record<string, unknown>>; message: string }[] = [];
  const cluster = opening.use(
    connectCluster({
      kubeconfig: forwarder.kubeconfig,
      settings: testSettings,
      log: { warn: (fields, message) => void warnings.push({ fields, message }) },
      ...options.connect,
    }),
  );
  const store = createMemoryStore();
  const token = /token: "(.*)"/u.exec(devcluster.kubeconfig)?.[1] ?? "";
  const last = (spec: InstanceSpec): Observation | undefined => store.observations(spec.instanceId).at(-1);
  const pass = (spec: InstanceSpec): Promise<ReconcileOutcome | Error> => {
    store.set(spec);
    return again(spec);
  };
  const again = ({ instanceId }: InstanceSpec): Promise<ReconcileOutcome | Error> =>
    reconcileInstance({ instances: store, cluster }, instanceId, { signal: never }).catch((error: Error) => error);
  const bring: World["bring"] = async (spec, what, isThere) => {
    store.set(spec);
    return until(
      what,
      async () => {
        await again(spec);
        const seen = last(spec);
        return seen !== undefined && isThere(seen) ? seen : null;
      },
      15_000,
    );
  };
  const resources = opening.move();
  return {
    devcluster,
    cluster,
    store,
    requests,
    warnings,
    pass,
    bring,
    running: (spec) => bring(spec, "it runs", ({ phase }) => phase === "running"),
    last,
    objects: ({ instanceId }, kind) =>
      devcluster.objects(kind).filter(({ metadata }) => metadata.namespace === namespaceName(instanceId)),
    async byHand(method, path, body, type = "application/merge-patch+json") {
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": method === "PATCH" ? type : "application/json",
      };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(devcluster.url + path, { method, headers, ...content });
      await answer.arrayBuffer();
      return answer.status;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** An instance of its own, whose owner account is taken unless the test says otherwise. */
export function newSpec(change: Partial<InstanceSpec> = {}): InstanceSpec {
  const instanceId = randomUUID();
  return testSpec({
    instanceId,
    host: `app-${instanceId.slice(0, 6)}.apps.example.com`,
    ownerClaimed: true,
    ...change,
  });
}
