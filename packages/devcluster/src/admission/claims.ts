import { recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { as, type KubeObject } from "../kube/object.ts";
import type { StorageClass } from "../kube/kinds.ts";
import { quantityOf } from "../kube/quantity.ts";
import { forbidden } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import type { Resource } from "../resources/registry.ts";
import { ensureRecord } from "../resources/defaults-pod.ts";

const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";

/** The newest StorageClass that is marked as the default. */
export function findDefaultStorageClass(objects: Objects): KubeObject | undefined {
  return objects.store
    .list("storageclasses.storage.k8s.io")
    .filter((item) => item.metadata.annotations?.[defaultClassAnnotation] === "true")
    .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))[0];
}

/** New claims get the default class, and a finalizer that keeps them while a pod uses them. */
export function defaultStorageClass(objects: Objects, draft: JsonRecord): void {
  const metadata = ensureRecord(draft, "metadata");
  const finalizers = Array.isArray(metadata["finalizers"]) ? metadata["finalizers"] : [];
  metadata["finalizers"] = [...new Set([...finalizers, "kubernetes.io/pvc-protection"])];
  const spec = ensureRecord(draft, "spec");
  const byDefault = findDefaultStorageClass(objects);
  if (spec["storageClassName"] === undefined && byDefault !== undefined) {
    spec["storageClassName"] = byDefault.metadata.name;
  }
}

export function checkClaimGrowth(objects: Objects, resource: Resource, object: KubeObject, previous: KubeObject): void {
  const size = (item: KubeObject): bigint =>
    quantityOf(recordOf(recordOf(recordOf(item["spec"])["resources"])["requests"])["storage"]).nano;
  if (size(object) <= size(previous)) return;
  const className = stringOf(recordOf(previous["spec"])["storageClassName"]);
  const found = objects.store.get("storageclasses.storage.k8s.io", "", className);
  const isBound = stringOf(recordOf(previous["status"])["phase"]) === "Bound";
  if (isBound && found !== undefined && as<StorageClass>(found).allowVolumeExpansion === true) return;
  const why = isBound
    ? "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
    : "Only bound persistent volume claims can be expanded";
  throw forbidden(resource, object.metadata.name, why);
}
