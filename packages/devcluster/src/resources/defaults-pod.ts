import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";

/** The members of a pod (or pod template) that a server fills in when they are absent. All functions change their argument. */

export function setDefault(target: JsonRecord, member: string, value: unknown): void {
  if (target[member] === undefined || target[member] === null) target[member] = value;
}

/** The member as an object of its own, made if it is absent. */
export function ensureRecord(target: JsonRecord, member: string): JsonRecord {
  const existing = target[member];
  if (isRecord(existing)) return existing;
  const made: JsonRecord = {};
  target[member] = made;
  return made;
}

function records(value: unknown): JsonRecord[] {
  return listOf(value).filter(isRecord);
}

export function defaultPodSpec(spec: JsonRecord): void {
  for (const container of [...records(spec["containers"]), ...records(spec["initContainers"])])
    defaultContainer(container);
  setDefault(spec, "restartPolicy", "Always");
  setDefault(spec, "terminationGracePeriodSeconds", 30);
  setDefault(spec, "dnsPolicy", "ClusterFirst");
  setDefault(spec, "securityContext", {});
  setDefault(spec, "schedulerName", "default-scheduler");
  if (stringOf(spec["serviceAccountName"]) !== "") setDefault(spec, "serviceAccount", spec["serviceAccountName"]);
  else if (stringOf(spec["serviceAccount"]) !== "") spec["serviceAccountName"] = spec["serviceAccount"];
  for (const volume of records(spec["volumes"])) defaultVolume(volume);
}

function defaultContainer(container: JsonRecord): void {
  for (const port of records(container["ports"])) setDefault(port, "protocol", "TCP");
  for (const variable of records(container["env"])) {
    const fieldRef = recordOf(recordOf(variable["valueFrom"])["fieldRef"]);
    if ("fieldPath" in fieldRef) setDefault(fieldRef, "apiVersion", "v1");
  }
  setDefault(container, "resources", {});
  for (const probe of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const given = container[probe];
    if (isRecord(given)) defaultProbe(given);
  }
  setDefault(container, "terminationMessagePath", "/dev/termination-log");
  setDefault(container, "terminationMessagePolicy", "File");
  setDefault(container, "imagePullPolicy", isLatest(stringOf(container["image"])) ? "Always" : "IfNotPresent");
}

function isLatest(image: string): boolean {
  if (image.includes("@")) return false;
  const tag = image.slice(image.lastIndexOf("/") + 1).split(":")[1];
  return tag === undefined || tag === "latest";
}

function defaultProbe(probe: JsonRecord): void {
  const httpGet = probe["httpGet"];
  if (isRecord(httpGet)) {
    setDefault(httpGet, "path", "/");
    setDefault(httpGet, "scheme", "HTTP");
  }
  setDefault(probe, "timeoutSeconds", 1);
  setDefault(probe, "periodSeconds", 10);
  setDefault(probe, "successThreshold", 1);
  setDefault(probe, "failureThreshold", 3);
}

/** Modes are octal 0644 written in decimal, as JSON knows no octal numbers. */
const defaultFileMode = 420;

function defaultVolume(volume: JsonRecord): void {
  for (const source of ["secret", "configMap", "projected", "downwardAPI"]) {
    const given = volume[source];
    if (isRecord(given)) setDefault(given, "defaultMode", defaultFileMode);
  }
  if (isRecord(volume["hostPath"])) setDefault(volume["hostPath"], "type", "");
  if (Object.keys(volume).length === 1) volume["emptyDir"] = {};
}

/** Only for pods, not for templates: a limit without a request is the request too. */
export function defaultPodRequests(spec: JsonRecord): void {
  for (const container of [...records(spec["containers"]), ...records(spec["initContainers"])]) {
    const resources = recordOf(container["resources"]);
    const limits = recordOf(resources["limits"]);
    if (Object.keys(limits).length === 0) continue;
    const requests = ensureRecord(resources, "requests");
    for (const [resource, limit] of Object.entries(limits)) setDefault(requests, resource, limit);
  }
}
