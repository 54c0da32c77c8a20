import type { KubeObject } from "../kube/object.ts";
import type { Resource } from "../resources/registry.ts";
import { remove, update, type Control } from "./control.ts";
import type { Controller } from "./loop.ts";

/**
 * Deletes what no owner is left for, and ends foreground and orphan deletions. Keys are `resource namespace/name` of the
 * object to look at.
 */
export function garbageController(control: Control): Controller {
  const { store, registry } = control.objects;

  function keyFor(object: KubeObject): string {
    const resource = registry.findKind(object.apiVersion, object.kind);
    return `${resource?.key ?? ""} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  }

  function keysOf(event: { resource: string; type: string; object: KubeObject }): readonly string[] {
    const { object, type } = event;
    const { uid, ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
    const keys: string[] = [];
    if (type === "DELETED") keys.push(...store.dependentsOf(uid).map(keyFor));
    else if (ownerReferences.length > 0 && type === "ADDED") keys.push(keyFor(object));
    if (type !== "DELETED" && deletionTimestamp !== undefined && finalizers.some(isOurs)) keys.push(keyFor(object));
    // The last dependent of an owner that waits in the foreground lets it go.
    if (type === "DELETED" || deletionTimestamp !== undefined) {
      for (const reference of ownerReferences) {
        const resource = registry.findKind(reference.apiVersion, reference.kind);
        if (resource === undefined) continue;
        keys.push(
          `${resource.key} ${resource.isNamespaced ? (object.metadata.namespace ?? "") : ""}/${reference.name}`,
        );
      }
    }
    return keys;
  }

  return {
    name: "garbage",
    keysOf,
    reconcile(key): void {
      const [resourceKey = "", path = ""] = key.split(" ");
      if (resourceKey === "") return;
      const slash = path.indexOf("/");
      const object = store.get(resourceKey, path.slice(0, slash), path.slice(slash + 1));
      if (object === undefined) return;
      const resource = registry.get(resourceKey);
      collect(control, resource, object);
      const current = store.get(resourceKey, path.slice(0, slash), path.slice(slash + 1));
      if (current?.metadata.deletionTimestamp !== undefined) finishDeletion(control, resource, current);
    },
  };
}

function isOurs(finalizer: string): boolean {
  return finalizer === "orphan" || finalizer === "foregroundDeletion";
}

/** An object all of whose owners are gone goes too; references to gone owners beside living ones are taken out. */
function collect(control: Control, resource: Resource, object: KubeObject): void {
  const { store, registry } = control.objects;
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const living = references.filter((reference) => {
    const owner = registry.findKind(reference.apiVersion, reference.kind);
    // Owners of kinds that are not served here cannot be looked up and count as living.
    if (owner === undefined) return true;
    const namespace = owner.isNamespaced ? (object.metadata.namespace ?? "") : "";
    return store.get(owner.key, namespace, reference.name)?.metadata.uid === reference.uid;
  });
  if (living.length === 0) {
    if (object.metadata.deletionTimestamp !== undefined) return;
    remove(control, resource.key, object, { propagationPolicy: "Background" });
  } else if (living.length < references.length) {
    update(control, resource.key, { ...object, metadata: { ...object.metadata, ownerReferences: living } });
  }
}

function finishDeletion(control: Control, resource: Resource, owner: KubeObject): void {
  const { store, registry } = control.objects;
  const { finalizers = [], uid } = owner.metadata;
  const dependents = store.dependentsOf(uid);
  if (finalizers.includes("orphan")) {
    for (const dependent of dependents) {
      const { ownerReferences = [], ...metadata } = dependent.metadata;
      const others = ownerReferences.filter((reference) => reference.uid !== uid);
      const kind = registry.findKind(dependent.apiVersion, dependent.kind);
      const next = others.length === 0 ? metadata : { ...metadata, ownerReferences: others };
      if (kind !== undefined) update(control, kind.key, { ...dependent, metadata: next });
    }
    dropFinalizer(control, resource, owner, "orphan");
    return;
  }
  if (!finalizers.includes("foregroundDeletion") || resource.key === "namespaces") return;
  for (const dependent of dependents) {
    const kind = registry.findKind(dependent.apiVersion, dependent.kind);
    if (kind === undefined || dependent.metadata.deletionTimestamp !== undefined) continue;
    const hasDependents = store.dependentsOf(dependent.metadata.uid).length > 0;
    remove(control, kind.key, dependent, { propagationPolicy: hasDependents ? "Foreground" : "Background" });
  }
  const blocking = store
    .dependentsOf(uid)
    .filter((item) => item.metadata.ownerReferences?.some((ref) => ref.uid === uid && ref.blockOwnerDeletion === true));
  if (blocking.length === 0) dropFinalizer(control, resource, owner, "foregroundDeletion");
}

function dropFinalizer(control: Control, resource: Resource, object: KubeObject, finalizer: string): void {
  const { store } = control.objects;
  const { finalizers = [], ...metadata } = object.metadata;
  const others = finalizers.filter((item) => item !== finalizer);
  const next = { ...object, metadata: others.length === 0 ? metadata : { ...metadata, finalizers: others } };
  const isGone = others.length === 0 && (object.metadata.deletionGracePeriodSeconds ?? 0) === 0;
  if (isGone) store.remove(resource.key, next);
  else store.put(resource.key, next);
}
