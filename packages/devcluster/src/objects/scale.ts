import { recordOf, stringMap, type JsonRecord } from "../kube/json.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kube/object.ts";
import { invalidValue } from "../kube/causes.ts";
import { invalid } from "../kube/status.ts";
import type { Resource } from "../resources/registry.ts";
import { ownersAfterUpdate } from "../fields/managed-fields.ts";
import type { Objects, WriteOptions } from "./context.ts";
import { checkVersion, commit } from "./update.ts";

/** The view of a workload through its scale subresource. A count of zero is left out of `spec`, as the type omits it. */
export function toScale(object: KubeObject): JsonRecord {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const spec = recordOf(object["spec"]);
  const replicas = Number(spec["replicas"] ?? 0);
  const labels = stringMap(recordOf(spec["selector"])["matchLabels"]);
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(",");
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: Number(recordOf(object["status"])["replicas"] ?? 0), selector },
  };
}

/** Writes the count of a Scale into its object. A count of zero is owned by nobody afterwards, since a Scale omits it. */
export function storeScale(
  objects: Objects,
  resource: Resource,
  live: KubeObject,
  scale: JsonRecord,
  options: WriteOptions,
): JsonRecord {
  const replicas = Number(recordOf(scale["spec"])["replicas"] ?? 0);
  if (replicas < 0) {
    const cause = invalidValue("spec.replicas", replicas, "must be greater than or equal to 0");
    throw invalid({ group: "autoscaling", kind: "Scale" }, live.metadata.name, [cause]);
  }
  checkVersion(resource, scale, live);
  const next: JsonRecord = {
    ...live,
    metadata: { ...live.metadata },
    spec: { ...recordOf(live["spec"]), replicas },
  };
  const { manager } = options;
  const writer = { manager, operation: "Update", apiVersion: resource.groupVersion, subresource: "scale" } as const;
  const ownership = { type: resource.type, onlyBranch: null, hasStatus: resource.hasStatus };
  const entries = (): ManagedFieldsEntry[] =>
    ownersAfterUpdate(ownership, live, next, live.metadata.managedFields, writer)
      .map((entry) => (entry.subresource === "scale" ? withoutTime(entry) : entry))
      .filter((entry) => entry.subresource !== "scale" || replicas > 0);
  return toScale(commit(objects, resource, live, next, entries, { ...options, subresource: "scale" }));
}

function withoutTime({ time: _time, ...entry }: ManagedFieldsEntry): ManagedFieldsEntry {
  return entry;
}
