import type { InstanceSpec, KubeManifest, ManifestKind } from "./types.ts";

export const labelKeys = {
  managedBy: "app.kubernetes.io/managed-by",
  house: "sewa.dev/house",
  organization: "sewa.dev/organization",
  subscription: "sewa.dev/subscription",
  instance: "sewa.dev/instance",
  workload: "sewa.dev/workload",
  pool: "sewa.dev/pool",
  requestId: "sewa.dev/request-id",
} as const;

export const annotationKeys = {
  generation: "sewa.dev/generation",
  restartRequestedAt: "sewa.dev/restart-requested-at",
  configHash: "sewa.dev/config-hash",
} as const;

export const manager = "sewa";

/** One namespace per instance, named after the id alone: deterministic, and never user text. 41 characters. */
export function namespaceName(instanceId: string): string {
  return `sewa-${instanceId}`;
}

/** The instance that a namespace is named after; null for any other namespace. */
export function instanceIdOfNamespace(name: string): string | null {
  return /^sewa-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/u.exec(name)?.[1] ?? null;
}

export const objectNames = {
  quota: "plan",
  limitRange: "plan",
  serviceAccount: "app",
  secret: "secrets",
  ingress: "address",
} as const;

/** The ConfigMap with one workload's files. */
export function filesName(workloadId: string): string {
  return `files-${workloadId}`;
}

/** Every object that we make carries these; values are ids. */
export function ownLabels(spec: InstanceSpec): Readonly<Record<string, string>> {
  return { ...podLabels(spec), [labelKeys.house]: spec.houseId };
}

/** What pods carry. A label more would replace every pod that runs. */
export function podLabels(spec: InstanceSpec): Readonly<Record<string, string>> {
  return {
    [labelKeys.managedBy]: manager,
    [labelKeys.organization]: spec.organizationId,
    [labelKeys.subscription]: spec.subscriptionId,
    [labelKeys.instance]: spec.instanceId,
  };
}

const labelValue = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/**
 * The request that an object's present state goes back to, on what an operation changes: namespace and workloads. Never on
 * a pod's template, where another request alone would replace the pods. One that no label can hold is left out, because
 * the cluster would refuse the whole object.
 */
export function requestLabel({ requestId }: InstanceSpec): Readonly<Record<string, string>> {
  return requestId != null && labelValue.test(requestId) ? { [labelKeys.requestId]: requestId } : {};
}

/** Immutable once made, so it holds only what never changes in an instance's life. */
export function workloadSelector(spec: InstanceSpec, workloadId: string): Readonly<Record<string, string>> {
  return { [labelKeys.instance]: spec.instanceId, [labelKeys.workload]: workloadId };
}

/** An object in the instance's namespace with our labels. */
export function ownObject(
  spec: InstanceSpec,
  apiVersion: string,
  kind: ManifestKind,
  name: string,
  body: Readonly<Record<string, unknown>>,
): KubeManifest {
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: namespaceName(spec.instanceId), labels: ownLabels(spec) },
    ...body,
  };
}
