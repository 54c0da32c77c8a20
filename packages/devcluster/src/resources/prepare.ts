import { deepEqual, isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { parseQuantity } from "../kube/quantity.ts";
import type { KubeObject } from "../kube/object.ts";
import type { TypeNode } from "../schema/schema.ts";
import type { Resource } from "./registry.ts";
import { ensureRecord, setDefault } from "./defaults-pod.ts";
import { memberType } from "../fields/walk.ts";

/**
 * What a kind does with an object that is about to be stored, after defaults and before validation: members that only
 * the server may set are set or taken over from the stored object. Changes its argument.
 */
export function prepareForCreate(resource: Resource, object: JsonRecord, uid: string): void {
  switch (resource.key) {
    case "namespaces":
      labelNamespace(object);
      object["spec"] = { finalizers: ["kubernetes"] };
      object["status"] = { phase: "Active" };
      return;
    case "pods":
      object["status"] = { phase: "Pending", qosClass: qosClass(recordOf(object["spec"])) };
      return;
    case "deployments.apps":
      object["status"] = {};
      return;
    case "replicasets.apps":
      object["status"] = { replicas: 0 };
      return;
    case "statefulsets.apps":
      object["status"] = { replicas: 0, availableReplicas: 0 };
      return;
    case "jobs.batch":
      object["status"] = {};
      labelJob(object, uid);
      return;
    case "persistentvolumeclaims":
      object["status"] = { phase: "Pending" };
      return;
    case "persistentvolumes":
      object["status"] = { phase: "Pending" };
      return;
    case "services":
    case "ingresses.networking.k8s.io":
      object["status"] = { loadBalancer: {} };
      return;
    case "resourcequotas":
      object["status"] = {};
      return;
  }
}

/** A generated name is known only now, so the defaults could not put it into the label. */
function labelNamespace(object: JsonRecord): void {
  const metadata = ensureRecord(object, "metadata");
  const name = stringOf(metadata["name"]);
  if (name !== "") ensureRecord(metadata, "labels")["kubernetes.io/metadata.name"] = name;
}

/** The generated labels tie the pods of this very Job to it, also when a Job of the same name is made again. */
function labelJob(object: JsonRecord, uid: string): void {
  const spec = recordOf(object["spec"]);
  if (spec["manualSelector"] === true) return;
  const name = stringOf(recordOf(object["metadata"])["name"]);
  const metadata = ensureRecord(ensureRecord(spec, "template"), "metadata");
  const labels = ensureRecord(metadata, "labels");
  labels["controller-uid"] = uid;
  labels["job-name"] = name;
  labels["batch.kubernetes.io/controller-uid"] = uid;
  labels["batch.kubernetes.io/job-name"] = name;
  const selector = ensureRecord(spec, "selector");
  ensureRecord(selector, "matchLabels")["batch.kubernetes.io/controller-uid"] = uid;
}

export function prepareForUpdate(resource: Resource, object: JsonRecord, previous: KubeObject): void {
  if (resource.hasStatus) {
    if (previous["status"] === undefined) delete object["status"];
    else object["status"] = previous["status"];
  }
  if (resource.key === "namespaces") object["spec"] = previous["spec"];
  if (resource.key === "services") keepServiceAddresses(object, previous);
  if (resource.key === "jobs.batch") keepJobLabels(object, previous);
}

/** An update without addresses keeps those that were given to the Service. */
function keepServiceAddresses(object: JsonRecord, previous: KubeObject): void {
  const spec = ensureRecord(object, "spec");
  const before = recordOf(previous["spec"]);
  if (spec["type"] === "ExternalName") return;
  for (const member of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]) {
    if (before[member] !== undefined) setDefault(spec, member, before[member]);
  }
  const oldPorts = listOf(before["ports"]).map(recordOf);
  for (const port of listOf(spec["ports"]).filter(isRecord)) {
    const same = oldPorts.find((old) => old["port"] === port["port"] && old["protocol"] === port["protocol"]);
    if (same?.["nodePort"] !== undefined && spec["type"] !== "ClusterIP")
      setDefault(port, "nodePort", same["nodePort"]);
  }
}

/** An identical Job sent again by PUT or apply does not carry the generated labels and selector. */
function keepJobLabels(object: JsonRecord, previous: KubeObject): void {
  const spec = ensureRecord(object, "spec");
  const before = recordOf(previous["spec"]);
  setDefault(spec, "selector", before["selector"]);
  const metadata = ensureRecord(ensureRecord(spec, "template"), "metadata");
  const labels = ensureRecord(metadata, "labels");
  const oldLabels = recordOf(recordOf(recordOf(before["template"])["metadata"])["labels"]);
  const generated = [
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
  ];
  for (const name of generated) if (oldLabels[name] !== undefined) setDefault(labels, name, oldLabels[name]);
}

function qosClass(spec: JsonRecord): string {
  const containers = [...listOf(spec["containers"]), ...listOf(spec["initContainers"])].map(recordOf);
  const resources = containers.map((container) => recordOf(container["resources"]));
  const hasAny = resources.some(
    (item) => Object.keys(recordOf(item["requests"])).length + Object.keys(recordOf(item["limits"])).length > 0,
  );
  if (!hasAny) return "BestEffort";
  const isGuaranteed = resources.every((item) => {
    const limits = recordOf(item["limits"]);
    const requests = { ...limits, ...recordOf(item["requests"]) };
    return ["cpu", "memory"].every((name) => limits[name] !== undefined && sameQuantity(limits[name], requests[name]));
  });
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

function sameQuantity(a: unknown, b: unknown): boolean {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  return left !== null && right !== null && left.nano === right.nano;
}

/** Equality that sees through the notation of quantities: 64Mi and 67108864 are no change of the spec. */
export function semanticallyEqual(type: TypeNode, a: unknown, b: unknown): boolean {
  if (deepEqual(a, b)) return true;
  if (type.type === "scalar") return type.scalar === "quantity" && sameQuantity(a, b);
  if (type.type === "list") {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item: unknown, index) => semanticallyEqual(type.items, item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => semanticallyEqual(memberType(type, key), a[key], b[key]));
}
