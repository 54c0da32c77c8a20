import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { Resource } from "./registry.ts";
import { defaultPodRequests, defaultPodSpec, ensureRecord, setDefault } from "./defaults-pod.ts";

/**
 * Fills in the defaults of the API version, on every write. They are stored, returned, and belong to the manager that
 * wrote them by POST or PUT. Changes its argument.
 */
export function applyDefaults(resource: Resource, object: JsonRecord): void {
  defaults[resource.key]?.(object);
}

const defaults: Readonly<Record<string, (object: JsonRecord) => void>> = {
  namespaces: defaultNamespace,
  pods: defaultPod,
  "deployments.apps": defaultDeployment,
  "replicasets.apps": defaultReplicaSet,
  "statefulsets.apps": defaultStatefulSet,
  "jobs.batch": defaultJob,
  persistentvolumeclaims: defaultClaim,
  persistentvolumes: defaultVolume,
  services: defaultService,
  secrets: defaultSecret,
  "networkpolicies.networking.k8s.io": defaultNetworkPolicy,
  "ingresses.networking.k8s.io": (object) => setDefault(ensureRecord(object, "status"), "loadBalancer", {}),
  "storageclasses.storage.k8s.io": defaultStorageClass,
  limitranges: defaultLimitRange,
  resourcequotas: (object) => setDefault(object, "status", {}),
};

function specOf(object: JsonRecord): JsonRecord {
  return ensureRecord(object, "spec");
}

function defaultNamespace(object: JsonRecord): void {
  const metadata = ensureRecord(object, "metadata");
  const name = stringOf(metadata["name"]);
  if (name !== "") ensureRecord(metadata, "labels")["kubernetes.io/metadata.name"] = name;
  setDefault(ensureRecord(object, "status"), "phase", "Active");
}

function defaultPod(object: JsonRecord): void {
  const spec = specOf(object);
  defaultPodSpec(spec);
  defaultPodRequests(spec);
  setDefault(spec, "enableServiceLinks", true);
}

function defaultTemplate(spec: JsonRecord): void {
  const template = ensureRecord(spec, "template");
  ensureRecord(template, "metadata");
  defaultPodSpec(ensureRecord(template, "spec"));
}

function defaultDeployment(object: JsonRecord): void {
  const spec = specOf(object);
  setDefault(spec, "replicas", 1);
  defaultTemplate(spec);
  const strategy = ensureRecord(spec, "strategy");
  setDefault(strategy, "type", "RollingUpdate");
  if (strategy["type"] === "RollingUpdate") {
    const rolling = ensureRecord(strategy, "rollingUpdate");
    setDefault(rolling, "maxUnavailable", "25%");
    setDefault(rolling, "maxSurge", "25%");
  }
  setDefault(spec, "revisionHistoryLimit", 10);
  setDefault(spec, "progressDeadlineSeconds", 600);
  setDefault(object, "status", {});
}

function defaultReplicaSet(object: JsonRecord): void {
  const spec = specOf(object);
  setDefault(spec, "replicas", 1);
  defaultTemplate(spec);
  setDefault(ensureRecord(object, "status"), "replicas", 0);
}

function defaultStatefulSet(object: JsonRecord): void {
  const spec = specOf(object);
  setDefault(spec, "replicas", 1);
  defaultTemplate(spec);
  setDefault(spec, "podManagementPolicy", "OrderedReady");
  const strategy = ensureRecord(spec, "updateStrategy");
  setDefault(strategy, "type", "RollingUpdate");
  if (strategy["type"] === "RollingUpdate") setDefault(ensureRecord(strategy, "rollingUpdate"), "partition", 0);
  setDefault(spec, "revisionHistoryLimit", 10);
  const retention = ensureRecord(spec, "persistentVolumeClaimRetentionPolicy");
  setDefault(retention, "whenDeleted", "Retain");
  setDefault(retention, "whenScaled", "Retain");
  for (const template of listOf(spec["volumeClaimTemplates"]).filter(isRecord)) {
    setDefault(template, "kind", "PersistentVolumeClaim");
    setDefault(template, "apiVersion", "v1");
    defaultClaim(template);
  }
  const status = ensureRecord(object, "status");
  setDefault(status, "replicas", 0);
  setDefault(status, "availableReplicas", 0);
}

function defaultJob(object: JsonRecord): void {
  const spec = specOf(object);
  if (spec["completions"] === undefined && spec["parallelism"] === undefined) spec["completions"] = 1;
  setDefault(spec, "parallelism", 1);
  setDefault(spec, "backoffLimit", 6);
  setDefault(spec, "completionMode", "NonIndexed");
  setDefault(spec, "suspend", false);
  setDefault(spec, "podReplacementPolicy", isRecord(spec["podFailurePolicy"]) ? "Failed" : "TerminatingOrFailed");
  setDefault(spec, "manualSelector", false);
  defaultTemplate(spec);
  setDefault(object, "status", {});
}

function defaultClaim(object: JsonRecord): void {
  setDefault(specOf(object), "volumeMode", "Filesystem");
  setDefault(ensureRecord(object, "status"), "phase", "Pending");
}

function defaultVolume(object: JsonRecord): void {
  const spec = specOf(object);
  setDefault(spec, "persistentVolumeReclaimPolicy", "Retain");
  setDefault(spec, "volumeMode", "Filesystem");
  setDefault(ensureRecord(object, "status"), "phase", "Pending");
}

function defaultService(object: JsonRecord): void {
  const spec = specOf(object);
  setDefault(spec, "sessionAffinity", "None");
  setDefault(spec, "type", "ClusterIP");
  for (const port of listOf(spec["ports"]).filter(isRecord)) {
    setDefault(port, "protocol", "TCP");
    setDefault(port, "targetPort", port["port"] ?? 0);
  }
  const type = spec["type"];
  if (type === "NodePort" || type === "LoadBalancer") setDefault(spec, "externalTrafficPolicy", "Cluster");
  if (type !== "ExternalName") setDefault(spec, "internalTrafficPolicy", "Cluster");
  if (type === "LoadBalancer") setDefault(spec, "allocateLoadBalancerNodePorts", true);
  setDefault(ensureRecord(object, "status"), "loadBalancer", {});
}

function defaultSecret(object: JsonRecord): void {
  setDefault(object, "type", "Opaque");
}

/** stringData is write-only: it is encoded into data and never returned. */
export function encodeStringData(object: JsonRecord): void {
  const texts = recordOf(object["stringData"]);
  delete object["stringData"];
  for (const [key, text] of Object.entries(texts)) {
    ensureRecord(object, "data")[key] = Buffer.from(stringOf(text), "utf8").toString("base64");
  }
}

function defaultNetworkPolicy(object: JsonRecord): void {
  const spec = specOf(object);
  if (listOf(spec["policyTypes"]).length === 0) {
    spec["policyTypes"] = listOf(spec["egress"]).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  }
  for (const rule of [...listOf(spec["ingress"]), ...listOf(spec["egress"])]) {
    for (const port of listOf(recordOf(rule)["ports"]).filter(isRecord)) setDefault(port, "protocol", "TCP");
  }
}

function defaultStorageClass(object: JsonRecord): void {
  setDefault(object, "reclaimPolicy", "Delete");
  setDefault(object, "volumeBindingMode", "Immediate");
}

function defaultLimitRange(object: JsonRecord): void {
  for (const limit of listOf(specOf(object)["limits"]).filter(isRecord)) {
    if (limit["type"] !== "Container") continue;
    fillFrom(limit, "default", "max");
    fillFrom(limit, "defaultRequest", "default");
    fillFrom(limit, "defaultRequest", "min");
  }
}

function fillFrom(limit: JsonRecord, member: string, source: string): void {
  const given = Object.entries(recordOf(limit[source]));
  if (given.length === 0) return;
  const target = ensureRecord(limit, member);
  for (const [resource, amount] of given) setDefault(target, resource, amount);
}
