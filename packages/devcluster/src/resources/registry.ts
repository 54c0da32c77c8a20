import { listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { loadSchema, readRecorded, type StructNode } from "../schema/schema.ts";

/** One kind that is served, with what the generic code needs to know about it. */
export interface Resource {
  /** `deployments.apps`, `pods`: unique over all groups. */
  readonly key: string;
  readonly group: string;
  readonly version: string;
  readonly groupVersion: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly subresources: ReadonlySet<string>;
  readonly verbs: ReadonlySet<string>;
  readonly type: StructNode;
  readonly hasStatus: boolean;
  readonly hasGeneration: boolean;
  /** DELETE answers the object itself instead of a Status. */
  readonly answersDeleted: boolean;
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly fieldLabels: readonly string[];
}

export interface Registry {
  readonly all: readonly Resource[];
  /** Throws if the kind is not served: for kinds that the code itself names. */
  get(key: string): Resource;
  find(group: string, version: string, plural: string): Resource | undefined;
  findKind(apiVersion: string, kind: string): Resource | undefined;
  /** The plain resource list of a group version, as discovery answers it; null when it is not served. */
  discovery(groupVersion: string): JsonRecord | null;
  readonly groupVersions: readonly string[];
}

const served: Readonly<Record<string, readonly string[]>> = {
  v1: [
    "namespaces",
    "resourcequotas",
    "limitranges",
    "serviceaccounts",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "services",
    "nodes",
    "events",
  ],
  "apps/v1": ["deployments", "replicasets", "statefulsets"],
  "batch/v1": ["jobs"],
  "networking.k8s.io/v1": ["networkpolicies", "ingresses", "ingressclasses"],
  "storage.k8s.io/v1": ["storageclasses"],
};

const withGeneration = new Set(
  ["deployments", "replicasets", "statefulsets", "jobs", "pods"].concat([
    "ingresses",
    "ingressclasses",
    "networkpolicies",
  ]),
);

const answersDeletedObject = new Set(
  ["pods", "services", "persistentvolumeclaims", "serviceaccounts", "namespaces", "persistentvolumes"].concat([
    "resourcequotas",
    "storageclasses",
  ]),
);

const fieldLabels: Readonly<Record<string, readonly string[]>> = {
  pods: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  namespaces: ["status.phase"],
  secrets: ["type"],
  jobs: ["status.successful"],
  nodes: ["spec.unschedulable"],
  replicasets: ["status.replicas"],
  services: ["spec.clusterIP", "spec.type"],
  events: [
    ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
      (name) => `involvedObject.${name}`,
    ),
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
};

function documentName(groupVersion: string): string {
  return groupVersion === "v1" ? "api.v1" : `apis.${groupVersion.replace("/", ".")}`;
}

export function loadRegistry(): Registry {
  const groupVersions = Object.keys(served);
  const schema = loadSchema(groupVersions.map(documentName));
  const discoveries = new Map<string, JsonRecord>();
  const all: Resource[] = [];
  for (const groupVersion of groupVersions) {
    const list = readRecorded(`resources/${documentName(groupVersion)}.json`);
    const names = served[groupVersion] ?? [];
    const rows = listOf(list["resources"])
      .map(recordOf)
      .filter((row) => names.includes(stringOf(row["name"]).split("/")[0] ?? ""));
    discoveries.set(groupVersion, { ...list, resources: rows });
    const [group = "", version = groupVersion] = groupVersion.includes("/") ? groupVersion.split("/") : ["", "v1"];
    for (const plural of names) {
      const row = rows.find((item) => item["name"] === plural);
      const kind = stringOf(row?.["kind"]);
      const type = schema.kindType(group, version, kind);
      if (row === undefined || type === null) throw new Error(`no schema for ${groupVersion} ${plural}`);
      const subresources = rows
        .map((item) => stringOf(item["name"]).split("/"))
        .filter(([name, sub]) => name === plural && sub !== undefined)
        .map(([, sub]) => sub ?? "");
      all.push({
        key: group === "" ? plural : `${plural}.${group}`,
        group,
        version,
        groupVersion,
        plural,
        kind,
        isNamespaced: row["namespaced"] === true,
        subresources: new Set(subresources),
        verbs: new Set(listOf(row["verbs"]).map(stringOf)),
        type,
        hasStatus: subresources.includes("status"),
        hasGeneration: withGeneration.has(plural),
        answersDeleted: answersDeletedObject.has(plural),
        fieldLabels: fieldLabels[plural] ?? [],
      });
    }
  }
  const byKey = new Map(all.map((resource) => [resource.key, resource]));
  return {
    all,
    groupVersions,
    get(key): Resource {
      const resource = byKey.get(key);
      if (resource === undefined) throw new Error(`kind ${key} is not served`);
      return resource;
    },
    find: (group, version, plural) =>
      all.find((resource) => resource.group === group && resource.version === version && resource.plural === plural),
    findKind: (apiVersion, kind) =>
      all.find((resource) => resource.groupVersion === apiVersion && resource.kind === kind),
    discovery: (groupVersion) => discoveries.get(groupVersion) ?? null,
  };
}
