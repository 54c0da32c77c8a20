import type { JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Registry, Resource } from "../resources/registry.ts";
import type { Store } from "../store/store.ts";

/** What every operation on objects works with. */
export interface Objects {
  readonly store: Store;
  readonly registry: Registry;
  /** Makes what every namespace has (ServiceAccount, root certificate) at once, for who cannot wait for the controller. */
  readonly ensureNamespaceDefaults: (namespace: string) => void;
}

export interface WriteOptions {
  /** Owner of the written fields; of requests without fieldManager it is the User-Agent up to the slash. */
  readonly manager: string;
  readonly isDryRun: boolean;
  readonly fieldValidation: "Ignore" | "Warn" | "Strict";
  readonly subresource: "" | "status" | "scale" | "resize" | "finalize";
  /** Sentences for `Warning` headers are added here. */
  readonly warnings: string[];
}

export function writeOptions(manager: string, more: Partial<WriteOptions> = {}): WriteOptions {
  return { manager, isDryRun: false, fieldValidation: "Ignore", subresource: "", warnings: [], ...more };
}

/** Controllers write under this name, as those of a real server do. */
export const controllerManager = "kube-controller-manager";

/**
 * What an object of the kind looks like before anything is said about it: structs that are values in the server's types
 * are there from the start, so nobody owns them as such, only what is in them.
 */
export function blankObject(resource: Resource): JsonRecord {
  const template = { metadata: {}, spec: { containers: [] } };
  const specs: Record<string, JsonRecord> = {
    pods: { containers: [] },
    "deployments.apps": { template, strategy: {} },
    "replicasets.apps": { template },
    "statefulsets.apps": { template, updateStrategy: {} },
    "jobs.batch": { template },
    persistentvolumeclaims: { resources: {} },
    limitranges: { limits: [] },
    "networkpolicies.networking.k8s.io": { podSelector: {} },
  };
  const hasSpec = resource.type.fields.has("spec");
  return {
    kind: resource.kind,
    apiVersion: resource.groupVersion,
    metadata: {},
    ...(hasSpec ? { spec: structuredClone(specs[resource.key] ?? {}) } : {}),
    ...(resource.hasStatus ? { status: {} } : {}),
  };
}

/** The members in the order in which a server writes them: kind, apiVersion, metadata, then the kind's own. */
export function orderMembers(resource: Resource, object: JsonRecord): KubeObject {
  const { metadata, kind: _kind, apiVersion: _apiVersion, status, ...rest } = object;
  const ordered = {
    kind: resource.kind,
    apiVersion: resource.groupVersion,
    metadata,
    ...rest,
    ...(status === undefined ? {} : { status }),
  };
  return ordered as KubeObject;
}
