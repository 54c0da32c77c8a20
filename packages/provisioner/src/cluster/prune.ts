import { NotFound } from "../errors.ts";
import type { LiveList, LiveObject } from "../observe/wire.ts";
import { labelKeys, namespaceName } from "../render/names.ts";
import type { InstanceSpec, KubeManifest, ManifestKind } from "../render/types.ts";
import type { ApplyContext } from "./apply.ts";
import { collectionPath, manifestPath, objectPath } from "./resources.ts";

/**
 * Kinds whose objects are taken away when the app no longer has them, as after an upgrade. Never a volume: data goes with
 * the namespace alone, when somebody has asked for it. Never a Job: a finished one is the proof of the claim.
 */
const prunedKinds = ["Deployment", "StatefulSet", "Service", "ConfigMap"] as const satisfies readonly ManifestKind[];

export function isPruned(kind: ManifestKind): boolean {
  return (prunedKinds as readonly ManifestKind[]).includes(kind);
}

/** Deletes what is left over of a former shape, before the new one comes: both would count against the quota of one. */
export async function pruneInstance(
  context: ApplyContext,
  spec: InstanceSpec,
  manifests: readonly KubeManifest[],
): Promise<void> {
  const wanted = new Set(manifests.map(manifestPath));
  const namespace = namespaceName(spec.instanceId);
  for (const kind of prunedKinds) {
    for (const name of await namesOf(context, spec, kind, namespace)) {
      const path = objectPath(kind, name, namespace);
      if (!wanted.has(path)) await deleteObject(context, kind, name, path);
    }
  }
}

/** From the watch where it follows the kind, else from the server. */
async function namesOf(
  { connection, watched, signal }: ApplyContext,
  spec: InstanceSpec,
  kind: (typeof prunedKinds)[number],
  namespace: string,
): Promise<readonly string[]> {
  const seen = watched?.cache(kind)?.inNamespace(namespace);
  if (seen !== undefined)
    return seen.filter(({ instanceId }) => instanceId === spec.instanceId).map(({ name }) => name);
  const query = { labelSelector: `${labelKeys.instance}=${spec.instanceId}` };
  const request = {
    method: "GET",
    path: collectionPath(kind, namespace),
    query,
    what: `list ${kind}`,
    signal,
  } as const;
  const { items } = await connection.json<LiveList<LiveObject>>(request);
  return items.map(({ metadata }) => metadata.name);
}

async function deleteObject(
  { connection, effect, applied, signal }: ApplyContext,
  kind: ManifestKind,
  name: string,
  path: string,
): Promise<void> {
  const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background" };
  const request = { method: "DELETE", path, body, what: `delete ${kind} ${name}`, signal } as const;
  try {
    await effect(`delete:${kind}`, () => connection.json(request));
  } catch (error) {
    // The watch may still show what has gone since.
    if (!(error instanceof NotFound)) throw error;
  }
  applied.delete(path);
}
