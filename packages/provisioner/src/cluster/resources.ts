import type { KubeManifest, ManifestKind } from "../render/types.ts";

/** How a kind is addressed. `verbs` is what we ask of it and therefore what the worker must be allowed to do. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly ("create" | "patch" | "delete" | "get" | "list" | "watch")[];
}

export type WatchedKind = Exclude<ManifestKind, "Secret"> | "Pod" | "Node";

const seen = ["create", "patch", "get", "list", "watch"] as const;
/** Also deleted by itself: what a newer version no longer has, and what runs where a namespace is kept for the data in it. */
const single = [...seen, "delete"] as const;

/**
 * Fixed, because we use no other kinds: no discovery request, and no surprise when an aggregated API is down. Secrets
 * are written and never read, so that the worker cannot see those of others.
 */
export const resources = {
  Namespace: { group: "", version: "v1", plural: "namespaces", isNamespaced: false, verbs: [...seen, "delete"] },
  ResourceQuota: { group: "", version: "v1", plural: "resourcequotas", isNamespaced: true, verbs: seen },
  LimitRange: { group: "", version: "v1", plural: "limitranges", isNamespaced: true, verbs: seen },
  NetworkPolicy: {
    group: "networking.k8s.io",
    version: "v1",
    plural: "networkpolicies",
    isNamespaced: true,
    verbs: seen,
  },
  ServiceAccount: { group: "", version: "v1", plural: "serviceaccounts", isNamespaced: true, verbs: seen },
  Secret: { group: "", version: "v1", plural: "secrets", isNamespaced: true, verbs: ["create", "patch"] },
  ConfigMap: { group: "", version: "v1", plural: "configmaps", isNamespaced: true, verbs: single },
  PersistentVolumeClaim: {
    group: "",
    version: "v1",
    plural: "persistentvolumeclaims",
    isNamespaced: true,
    verbs: seen,
  },
  Deployment: { group: "apps", version: "v1", plural: "deployments", isNamespaced: true, verbs: single },
  StatefulSet: { group: "apps", version: "v1", plural: "statefulsets", isNamespaced: true, verbs: single },
  Service: { group: "", version: "v1", plural: "services", isNamespaced: true, verbs: single },
  Job: { group: "batch", version: "v1", plural: "jobs", isNamespaced: true, verbs: single },
  Ingress: { group: "networking.k8s.io", version: "v1", plural: "ingresses", isNamespaced: true, verbs: single },
  Pod: { group: "", version: "v1", plural: "pods", isNamespaced: true, verbs: ["get", "list", "watch"] },
  Node: { group: "", version: "v1", plural: "nodes", isNamespaced: false, verbs: ["get", "list", "watch", "patch"] },
  Event: { group: "", version: "v1", plural: "events", isNamespaced: true, verbs: ["list"] },
} as const satisfies Record<WatchedKind | "Secret" | "Event", Resource>;

/** What we ask of a pod beside the pod itself. */
export const podLog = { group: "", plural: "pods/log", verbs: ["get"] } as const;

/** What a metrics-server says of pods; not every cluster has one. */
export const podMetrics = { group: "metrics.k8s.io", version: "v1beta1", plural: "pods", verbs: ["list"] } as const;

export type Kind = keyof typeof resources;

export function isKind(name: string): name is Kind {
  return Object.hasOwn(resources, name);
}

/** Path of a kind's collection, of one namespace or, without one, of the whole cluster. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const { group, version, plural, isNamespaced } = resources[kind];
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return isNamespaced && namespace !== undefined ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
}

export function objectPath(kind: Kind, name: string, namespace?: string): string {
  return `${collectionPath(kind, namespace)}/${name}`;
}

export function manifestPath({ kind, metadata }: KubeManifest): string {
  return objectPath(kind, metadata.name, metadata.namespace);
}
