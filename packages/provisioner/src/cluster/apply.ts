import { Conflict, NameTaken, NamespaceTerminating, NotFound } from "../errors.ts";
import { isOwnNamespace, toNamespaceFact } from "../observe/facts.ts";
import type { LiveNamespace, LiveObject } from "../observe/wire.ts";
import { contentHash } from "../render/hash.ts";
import { renderManifests } from "../render/index.ts";
import { manager, namespaceName } from "../render/names.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "../render/types.ts";
import type { Connection, KubeRequest } from "./connection.ts";
import { liveHash } from "./live-hash.ts";
import { pruneInstance } from "./prune.ts";
import { manifestPath, objectPath } from "./resources.ts";
import type { WatchedCluster } from "./watcher.ts";

/** Runs one change of the outside world; fault tests put themselves in between by its name. */
export type Effect = <T>(name: string, change: () => Promise<T>) => Promise<T>;

interface Applied {
  /** Hash of the manifest that was sent. */
  readonly desired: string;
  /** `liveHash` of what the server made of it. */
  readonly live: string;
  readonly appliedAt: number;
  readonly uid: string;
}

/** What this process has applied, by path. Memory only: after a restart each object is applied once more, at no change. */
export type AppliedObjects = Map<string, Applied>;

export interface ApplyContext {
  readonly connection: Connection;
  readonly settings: ClusterSettings;
  readonly effect: Effect;
  readonly watched: WatchedCluster | null;
  readonly applied: AppliedObjects;
  /** Secrets are not watched; a pass that comes later than this writes them again, so that a change by hand does not stay. */
  readonly secretMs: number;
  readonly signal: AbortSignal | undefined;
}

export async function applyInstance(context: ApplyContext, spec: InstanceSpec): Promise<void> {
  const isThere = await requireOwnNamespace(context, spec);
  const manifests = renderManifests(spec, context.settings);
  if (isThere) await pruneInstance(context, spec, manifests);
  for (const manifest of manifests) {
    context.signal?.throwIfAborted();
    if (!isUnchanged(context, manifest)) await applyManifest(context, manifest);
  }
}

/** Foreground deletion of the namespace, of exactly the one that was looked at. */
export async function removeInstance(context: ApplyContext, spec: InstanceSpec): Promise<void> {
  const path = objectPath("Namespace", namespaceName(spec.instanceId));
  const live = await findNamespace(context, path);
  forget(context.applied, path);
  if (live === null || !isOwnNamespace(toNamespaceFact(live), spec) || live.metadata.deletionTimestamp !== undefined)
    return;
  const body = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: "Foreground",
    preconditions: { uid: live.metadata.uid },
  };
  const request: KubeRequest = { method: "DELETE", path, body, what: "delete Namespace", signal: context.signal };
  try {
    await context.effect("delete:Namespace", () => context.connection.json(request));
  } catch (error) {
    // Somebody else was faster, which is what we wanted; the next look says how far it has come.
    if (!(error instanceof NotFound || error instanceof Conflict)) throw error;
  }
}

async function applyManifest(context: ApplyContext, manifest: KubeManifest): Promise<void> {
  const { kind, metadata } = manifest;
  const path = manifestPath(manifest);
  const live: LiveObject = await context.effect(`apply:${kind}`, () =>
    context.connection.json({
      method: "PATCH",
      path,
      query: { fieldManager: manager, force: "true" },
      body: manifest,
      contentType: "application/apply-patch+yaml",
      what: `apply ${kind} ${metadata.name}`,
      isSecret: kind === "Secret",
      signal: context.signal,
    }),
  );
  // An apply to an object that is going away succeeds and does not keep it; to say «applied» would be wrong.
  if (live.metadata.deletionTimestamp !== undefined) throw terminating(`${kind} ${metadata.name}`);
  const appliedAt = performance.now();
  const uid = live.metadata.uid ?? "";
  context.applied.set(path, { desired: contentHash(manifest), live: liveHash(live), appliedAt, uid });
}

/** True when the object was applied as it is now and the watch has seen nothing else since. */
function isUnchanged({ applied, watched, secretMs }: ApplyContext, manifest: KubeManifest): boolean {
  const known = applied.get(manifestPath(manifest));
  if (watched === null || known === undefined || known.desired !== contentHash(manifest)) return false;
  const { kind, metadata } = manifest;
  const namespace = kind === "Namespace" ? metadata.name : (metadata.namespace ?? "");
  if (kind === "Secret") {
    const pods = watched.cache("Pod")?.inNamespace(namespace) ?? [];
    // A pod that lacks its configuration may be missing just this one.
    return performance.now() - known.appliedAt < secretMs && pods.every(({ fact }) => fact.reason !== "CONFIG_ERROR");
  }
  return watched.cache(kind)?.get(namespace, metadata.name)?.hash === known.live;
}

/** Nothing is written into a namespace of somebody else, nor into one that is on its way out. Whether there is one at all. */
async function requireOwnNamespace(context: ApplyContext, spec: InstanceSpec): Promise<boolean> {
  const name = namespaceName(spec.instanceId);
  const path = objectPath("Namespace", name);
  const seen = context.watched?.cache("Namespace")?.get(name, name)?.fact;
  const live = seen === undefined ? await findNamespace(context, path) : null;
  const fact = seen ?? (live === null ? null : toNamespaceFact(live));
  if (fact === null) {
    // Whatever we remember of a former namespace of this name is gone with it.
    forget(context.applied, path);
    return false;
  }
  if (!isOwnNamespace(fact, spec)) throw new NameTaken(`The namespace ${name} exists and is not ours.`);
  if (fact.deletingSince !== null) throw terminating(`Namespace ${name}`);
  const remembered = context.applied.get(path);
  // Another one that came after ours under the same name: nothing of what we remember is in it.
  if (remembered !== undefined && remembered.uid !== fact.uid) forget(context.applied, path);
  return true;
}

function terminating(what: string): NamespaceTerminating {
  return new NamespaceTerminating(`${what} is being deleted.`);
}

async function findNamespace({ connection, signal }: ApplyContext, path: string): Promise<LiveNamespace | null> {
  try {
    return await connection.json<LiveNamespace>({ method: "GET", path, what: "get Namespace", signal });
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}

function forget(applied: AppliedObjects, namespacePath: string): void {
  for (const path of applied.keys())
    if (path === namespacePath || path.includes(`${namespacePath.slice("/api/v1".length)}/`)) applied.delete(path);
}
