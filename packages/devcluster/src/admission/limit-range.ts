import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { LimitRange, Pod, ResourceList } from "../kube/kinds.ts";
import { as, type KubeObject } from "../kube/object.ts";
import { formatQuantity, parseQuantity, quantityOf } from "../kube/quantity.ts";
import { forbidden } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import type { Resource } from "../resources/registry.ts";
import { ensureRecord } from "../resources/defaults-pod.ts";

type Limit = LimitRange["spec"]["limits"][number];

function limitsOf(objects: Objects, namespace: string, type: string): Limit[] {
  return objects.store
    .list("limitranges", namespace)
    .flatMap((item) => as<LimitRange>(item).spec.limits)
    .filter((limit) => limit.type === type);
}

/** Fills in requests and limits that the LimitRanges of the namespace give, and notes it in an annotation. */
export function fillLimits(objects: Objects, draft: JsonRecord): void {
  const metadata = ensureRecord(draft, "metadata");
  const spec = ensureRecord(draft, "spec");
  const notes: string[] = [];
  for (const limit of limitsOf(objects, stringOf(metadata["namespace"]), "Container")) {
    for (const [list, prefix] of [
      ["containers", "container"],
      ["initContainers", "init container"],
    ] as const) {
      for (const container of listOf(spec[list]).filter(isRecord)) notes.push(...fill(container, limit, prefix));
    }
  }
  if (notes.length === 0) return;
  const text = `LimitRanger plugin set: ${notes.join("; ")}`;
  ensureRecord(metadata, "annotations")["kubernetes.io/limit-ranger"] = text;
}

function fill(container: JsonRecord, limit: Limit, prefix: string): string[] {
  const resources = ensureRecord(container, "resources");
  return (["request", "limit"] as const).flatMap((side) => {
    const given = side === "request" ? limit.defaultRequest : limit.default;
    const target = { ...recordOf(resources[`${side}s`]) };
    const added = Object.keys(given ?? {}).filter((name) => target[name] === undefined);
    if (added.length === 0) return [];
    for (const name of added) target[name] = given?.[name];
    resources[`${side}s`] = target;
    return [`${added.toSorted().join(", ")} ${side} for ${prefix} ${stringOf(container["name"])}`];
  });
}

/** 403 for pods and claims outside of the minimum and maximum of a LimitRange. */
export function checkLimits(objects: Objects, resource: Resource, object: KubeObject): void {
  const namespace = object.metadata.namespace ?? "";
  const complaints: string[] = [];
  if (resource.key === "persistentvolumeclaims") {
    const requests = recordOf(recordOf(recordOf(object["spec"])["resources"])["requests"]) as ResourceList;
    for (const limit of limitsOf(objects, namespace, "PersistentVolumeClaim")) {
      complaints.push(...outside(limit, requests, requests, "request"));
    }
  }
  if (resource.key === "pods") {
    const { spec } = as<Pod>(object);
    for (const limit of limitsOf(objects, namespace, "Container")) {
      for (const { resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        complaints.push(...outside(limit, resources?.requests ?? {}, resources?.limits ?? {}, "limit"));
      }
    }
  }
  if (complaints.length === 0) return;
  const [first = ""] = complaints;
  throw forbidden(resource, object.metadata.name, complaints.length === 1 ? first : `[${complaints.join(", ")}]`);
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function outside(limit: Limit, requests: ResourceList, limits: ResourceList, upper: "limit" | "request"): string[] {
  const complaints: string[] = [];
  for (const [name, minimum] of Object.entries(limit.min ?? {}).toSorted(byName)) {
    const request = parseQuantity(requests[name]);
    const text = `minimum ${name} usage per ${limit.type} is ${minimum}`;
    if (request === null) complaints.push(`${text}.  No request is specified`);
    else if (request.nano < quantityOf(minimum).nano)
      complaints.push(`${text}, but request is ${formatQuantity(request)}`);
  }
  for (const [name, maximum] of Object.entries(limit.max ?? {}).toSorted(byName)) {
    const given = parseQuantity(limits[name]);
    const text = `maximum ${name} usage per ${limit.type} is ${maximum}`;
    if (given === null) complaints.push(`${text}.  No ${upper} is specified`);
    else if (given.nano > quantityOf(maximum).nano)
      complaints.push(`${text}, but ${upper} is ${formatQuantity(given)}`);
  }
  return complaints;
}
