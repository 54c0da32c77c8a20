import { recordOf, stringOf } from "../kube/json.ts";
import { timestamp, type KubeObject } from "../kube/object.ts";
import { conflict, forbidden } from "../kube/status.ts";
import type { Resource } from "../resources/registry.ts";
import type { Objects, WriteOptions } from "./context.ts";
import { getObject } from "./create.ts";

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface Deleted {
  readonly object: KubeObject;
  /** False while finalizers or the node still hold it. */
  readonly isGone: boolean;
}

const builtInNamespaces = new Set(["default", "kube-system", "kube-public", "kube-node-lease"]);

const jobWarning =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set " +
  "propagationPolicy=Orphan to suppress this warning";

export function deleteObject(
  objects: Objects,
  resource: Resource,
  namespace: string,
  name: string,
  wish: DeleteOptions,
  options: WriteOptions,
): Deleted {
  const live = getObject(objects, resource, namespace, name);
  checkPreconditions(resource, live, wish);
  if (resource.key === "namespaces" && builtInNamespaces.has(name)) {
    throw forbidden(resource, name, "this namespace may not be deleted");
  }
  const finalizers = finalizersFor(resource, live, wish, options);
  if (resource.key === "pods") return deletePod(objects, resource, live, finalizers, wish, options);
  const mustWait = finalizers.length > 0 || resource.key === "namespaces";
  if (!mustWait) {
    if (options.isDryRun) return { object: live, isGone: true };
    return { object: objects.store.remove(resource.key, live), isGone: true };
  }
  if (live.metadata.deletionTimestamp !== undefined && sameList(finalizers, live.metadata.finalizers ?? [])) {
    return { object: live, isGone: false };
  }
  const next = markDeleted(live, 0, finalizers);
  if (resource.key === "namespaces") next["status"] = { ...recordOf(live["status"]), phase: "Terminating" };
  if (resource.key === "namespaces") delete next.metadata.deletionGracePeriodSeconds;
  return { object: options.isDryRun ? next : objects.store.put(resource.key, next), isGone: false };
}

function checkPreconditions(resource: Resource, live: KubeObject, wish: DeleteOptions): void {
  const { uid, resourceVersion, name } = live.metadata;
  const isNamespace = resource.key === "namespaces";
  const subject = isNamespace ? resource : { group: "", plural: resource.kind, kind: resource.kind };
  if (isNamespace && wish.uid !== undefined && wish.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${wish.uid}, UID in object meta: ${uid}`;
    throw conflict(subject, name, why);
  }
  if (wish.uid !== undefined && wish.uid !== uid) {
    const why = `the UID in the precondition (${wish.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, name, why);
  }
  if (wish.resourceVersion !== undefined && wish.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${wish.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(subject, name, why);
  }
}

/** Foreground and orphan deletion are finalizers that the garbage collector takes away when it is done. */
function finalizersFor(resource: Resource, live: KubeObject, wish: DeleteOptions, options: WriteOptions): string[] {
  const others = (live.metadata.finalizers ?? []).filter((item) => item !== "orphan" && item !== "foregroundDeletion");
  let policy = wish.propagationPolicy;
  if (policy === undefined) {
    const kept = (live.metadata.finalizers ?? []).filter((item) => item === "orphan" || item === "foregroundDeletion");
    if (kept.length > 0) return [...others, ...kept];
    if (resource.key === "jobs.batch") {
      options.warnings.push(jobWarning);
      policy = "Orphan";
    }
  }
  if (policy === "Orphan") return [...others, "orphan"];
  return policy === "Foreground" ? [...others, "foregroundDeletion"] : others;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}

function markDeleted(live: KubeObject, graceSeconds: number, finalizers: readonly string[]): KubeObject {
  const { metadata } = live;
  const deletedAt = metadata.deletionTimestamp ?? timestamp(new Date(Date.now() + graceSeconds * 1000));
  const { finalizers: _finalizers, ...rest } = metadata;
  return {
    ...live,
    metadata: {
      ...rest,
      deletionTimestamp: deletedAt,
      deletionGracePeriodSeconds: graceSeconds,
      ...(metadata.generation === undefined || metadata.deletionTimestamp !== undefined
        ? {}
        : { generation: metadata.generation + 1 }),
      ...(finalizers.length === 0 ? {} : { finalizers: [...finalizers] }),
    },
  };
}

/** A pod that runs is only marked: its node stops the containers and then deletes it for good with grace 0. */
function deletePod(
  objects: Objects,
  resource: Resource,
  live: KubeObject,
  finalizers: readonly string[],
  wish: DeleteOptions,
  options: WriteOptions,
): Deleted {
  const spec = recordOf(live["spec"]);
  const phase = stringOf(recordOf(live["status"])["phase"]);
  const isFinished = phase === "Succeeded" || phase === "Failed";
  const own = spec["terminationGracePeriodSeconds"];
  const wanted = Math.max(
    wish.gracePeriodSeconds ?? (typeof own === "number" ? own : 30),
    wish.gracePeriodSeconds === 0 ? 0 : 1,
  );
  const hasNode = stringOf(spec["nodeName"]) !== "";
  const grace = !hasNode || isFinished ? 0 : wanted;
  const current = live.metadata.deletionGracePeriodSeconds;
  if (live.metadata.deletionTimestamp !== undefined && current !== undefined && grace >= current) {
    // A second wish that is not stricter changes nothing; but once no finalizer is left, the end is due.
    if (grace > 0 || finalizers.length > 0) return { object: live, isGone: false };
  }
  const { deletionTimestamp: _earlier, ...undated } = live.metadata;
  const base = { ...live, metadata: live.metadata.deletionTimestamp === undefined ? live.metadata : undated };
  const marked = markDeleted(base, grace, finalizers);
  if (options.isDryRun) return { object: marked, isGone: grace === 0 };
  const stored = objects.store.put(resource.key, marked);
  if (grace > 0 || finalizers.length > 0) return { object: stored, isGone: false };
  objects.store.remove(resource.key, stored);
  return { object: stored, isGone: true };
}
