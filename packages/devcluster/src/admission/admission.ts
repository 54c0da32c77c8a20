import { stringOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { forbidden, notFound } from "../kube/status.ts";
import type { Objects, WriteOptions } from "../objects/context.ts";
import type { Resource } from "../resources/registry.ts";
import { checkClaimGrowth, defaultStorageClass } from "./claims.ts";
import { checkLimits, fillLimits } from "./limit-range.ts";
import { allocateServiceAddresses, defaultIngressClass } from "./network.ts";
import { checkPodSecurity } from "./pod-security.ts";
import { completePod } from "./pods.ts";
import { chargeQuota } from "./quota.ts";

/** 404 or 403 for content of a namespace that is not there or is going away. */
export function refuseWithoutNamespace(objects: Objects, resource: Resource, namespace: string, name: string): void {
  if (!resource.isNamespaced) return;
  const found = objects.store.get("namespaces", "", namespace);
  if (found === undefined) throw notFound(objects.registry.get("namespaces"), namespace);
  if (found.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `namespace ${namespace} is being terminated`;
  throw forbidden(resource, name, why, [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }]);
}

/** The admission steps that change a new object. They run after defaults and before validation. */
export function mutateForCreate(objects: Objects, resource: Resource, draft: JsonRecord, options: WriteOptions): void {
  switch (resource.key) {
    case "pods":
      completePod(objects, resource, draft);
      fillLimits(objects, draft);
      return;
    case "persistentvolumeclaims":
      defaultStorageClass(objects, draft);
      return;
    case "services":
      allocateServiceAddresses(objects, draft, options.isDryRun);
      return;
    case "ingresses.networking.k8s.io":
      defaultIngressClass(objects, draft);
      return;
  }
}

/** The admission steps that only refuse (or warn), and the quota that is charged last, when nothing else refused. */
export function admit(
  objects: Objects,
  resource: Resource,
  object: KubeObject,
  previous: KubeObject | null,
  options: WriteOptions,
): void {
  if (options.subresource === "status") return;
  const namespace = stringOf(object.metadata.namespace);
  if (previous === null) checkLimits(objects, resource, object);
  if (previous !== null && resource.key === "persistentvolumeclaims")
    checkClaimGrowth(objects, resource, object, previous);
  if (resource.isNamespaced) checkPodSecurity(objects, resource, object, previous, options);
  if (namespace !== "" && previous === null) chargeQuota(objects, resource, object, options.isDryRun);
}
