import type { ReasonCode } from "@sewa/core";
import { NotFound } from "../errors.ts";
import { refusalReason, type InstanceFacts } from "../observe/facts.ts";
import type { PodFact } from "../observe/pods.ts";
import { toObservedNode } from "../observe/nodes.ts";
import type { LiveList, LiveNode, LiveObject } from "../observe/wire.ts";
import { labelKeys, namespaceName } from "../render/names.ts";
import type { InstanceSpec } from "../render/types.ts";
import type { AppliedObjects } from "./apply.ts";
import type { Connection } from "./connection.ts";
import { collectionPath, objectPath, type WatchedKind } from "./resources.ts";
import { toSlim, type Slim } from "./slim.ts";
import type { WatchedCluster } from "./watcher.ts";

export interface LookContext {
  readonly connection: Connection;
  readonly watched: WatchedCluster | null;
  readonly applied: AppliedObjects;
  readonly signal: AbortSignal | undefined;
}

const lookedAt = ["Deployment", "StatefulSet", "Pod", "Job", "PersistentVolumeClaim", "Ingress"] as const;
type LookedAt = (typeof lookedAt)[number];
type Seen = { readonly [K in LookedAt | "Namespace"]: readonly Slim<K>[] };

/** One page; an instance has a handful of objects of a kind. */
const pageSize = "500";

/** Everything about one instance, from the watch where it is surely up to date, else from the server. */
export async function lookAtInstance(context: LookContext, spec: InstanceSpec): Promise<InstanceFacts> {
  const name = namespaceName(spec.instanceId);
  const seen = recall(context, name) ?? (await read(context, spec, name));
  const workloads = [...seen.Deployment, ...seen.StatefulSet].map(({ fact }) => fact);
  const pods = seen.Pod.map(({ fact }) => fact);
  // Told by the pods, not by the set's own counter, which an old status may still hold.
  const hasPod = new Set(pods.map(({ workload }) => workload));
  const stuck = seen.StatefulSet.some(({ fact }) => fact.desiredReplicas > 0 && !hasPod.has(fact.name));
  const refusals = stuck ? await readRefusals(context, name) : new Map<string, ReasonCode>();
  return {
    namespace: seen.Namespace[0]?.fact ?? null,
    workloads: workloads.map((fact) => ({ ...fact, refusal: fact.refusal ?? refusals.get(fact.name) ?? null })),
    pods,
    jobs: seen.Job.map(({ fact }) => fact),
    volumes: seen.PersistentVolumeClaim.map(({ fact }) => fact),
    ingresses: seen.Ingress.map(({ fact }) => fact),
    lostNodes: await findLostNodes(context, pods),
  };
}

/**
 * What the watch has seen; null unless every kind is followed now and shows our own last writes. Without the second
 * condition a ready state from before an apply would be taken for its result.
 */
function recall({ watched, applied }: LookContext, name: string): Seen | null {
  if (watched === null) return null;
  const of = <K extends WatchedKind>(kind: K): readonly Slim<K>[] | null => {
    const objects = watched.cache(kind)?.inNamespace(name) ?? null;
    const isBehind = objects?.some(({ path, hash }) => (applied.get(path)?.live ?? hash) !== hash);
    return isBehind === true ? null : objects;
  };
  const namespaces = of("Namespace");
  const deployments = of("Deployment");
  const sets = of("StatefulSet");
  const pods = of("Pod");
  const jobs = of("Job");
  const claims = of("PersistentVolumeClaim");
  const ingresses = of("Ingress");
  if (namespaces === null || deployments === null || sets === null || pods === null) return null;
  if (jobs === null || claims === null || ingresses === null) return null;
  const known = new Set(
    [...namespaces, ...deployments, ...sets, ...jobs, ...claims, ...ingresses].map(({ path }) => path),
  );
  const isMissing = [...applied.keys()].some((path) => isLookedAt(path, name) && !known.has(path));
  // An absence is confirmed by the server: what hangs on it, such as the end of a removal, cannot be taken back.
  if (isMissing || namespaces.length === 0) return null;
  return {
    Namespace: namespaces,
    Deployment: deployments,
    StatefulSet: sets,
    Pod: pods,
    Job: jobs,
    PersistentVolumeClaim: claims,
    Ingress: ingresses,
  };
}

function isLookedAt(path: string, namespace: string): boolean {
  return lookedAt.some((kind) => path.startsWith(`${collectionPath(kind, namespace)}/`));
}

async function read({ connection, signal }: LookContext, spec: InstanceSpec, name: string): Promise<Seen> {
  const namespace = await find(
    connection.json<LiveObject>({ method: "GET", path: objectPath("Namespace", name), what: "get Namespace", signal }),
  );
  const none = { Deployment: [], StatefulSet: [], Pod: [], Job: [], PersistentVolumeClaim: [], Ingress: [] };
  if (namespace === null) return { Namespace: [], ...none };
  const query = { labelSelector: `${labelKeys.instance}=${spec.instanceId}`, limit: pageSize };
  const list = async <K extends LookedAt>(kind: K): Promise<readonly Slim<K>[]> => {
    const request = { method: "GET", path: collectionPath(kind, name), query, what: `list ${kind}`, signal } as const;
    const { items } = await connection.json<LiveList<LiveObject>>(request);
    return items.map((item) => toSlim(kind, item));
  };
  const [Deployment, StatefulSet, Pod, Job, PersistentVolumeClaim, Ingress] = await Promise.all([
    list("Deployment"),
    list("StatefulSet"),
    list("Pod"),
    list("Job"),
    list("PersistentVolumeClaim"),
    list("Ingress"),
  ]);
  return {
    Namespace: [toSlim("Namespace", namespace)],
    Deployment,
    StatefulSet,
    Pod,
    Job,
    PersistentVolumeClaim,
    Ingress,
  };
}

/** A StatefulSet says only in events why it may not create its pod; by name of the set. */
async function readRefusals(
  { connection, signal }: LookContext,
  name: string,
): Promise<ReadonlyMap<string, ReasonCode>> {
  interface LiveEvent extends LiveObject {
    readonly involvedObject: { readonly kind?: string; readonly name?: string };
    readonly message?: string;
  }
  const query = { fieldSelector: "reason=FailedCreate,involvedObject.kind=StatefulSet", limit: pageSize };
  const request = { method: "GET", path: collectionPath("Event", name), query, what: "list Event", signal } as const;
  const { items } = await connection.json<LiveList<LiveEvent>>(request);
  const refusals = new Map<string, ReasonCode>();
  for (const { involvedObject, message } of items) {
    const reason = refusalReason(message ?? "");
    if (reason !== null && involvedObject.name !== undefined) refusals.set(involvedObject.name, reason);
  }
  return refusals;
}

/** Machines under pods that are not ready, and are not ready themselves or gone. */
async function findLostNodes(
  { connection, watched, signal }: LookContext,
  pods: readonly PodFact[],
): Promise<ReadonlySet<string>> {
  const names = new Set(
    pods.filter(({ ready }) => !ready).flatMap(({ nodeName }) => (nodeName === null ? [] : [nodeName])),
  );
  const lost = new Set<string>();
  for (const name of names) {
    const cache = watched?.cache("Node") ?? null;
    const request = { method: "GET", path: objectPath("Node", name), what: "get Node", signal } as const;
    const node =
      cache === null ? await find(connection.json<LiveNode>(request).then(toObservedNode)) : cache.get("", name)?.fact;
    if (node?.ready !== true) lost.add(name);
  }
  return lost;
}

async function find<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}
