import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { duplicate, forbiddenField, invalidValue, notFoundValue, notSupported, required } from "../kube/causes.ts";
import { checkLabelName } from "../kube/names.ts";
import { formatQuantity, parseQuantity } from "../kube/quantity.ts";
import type { StatusCause } from "../kube/status.ts";

/** The checks of a pod spec, in a pod (`spec`) or in a template (`spec.template.spec`); a StatefulSet adds volumes. */
export function validatePodSpec(
  spec: JsonRecord,
  field: string,
  allowedRestart?: readonly string[],
  moreVolumes: readonly string[] = [],
): StatusCause[] {
  const volumes = listOf(spec["volumes"]).map(recordOf);
  const containers = listOf(spec["containers"]).map(recordOf);
  const inits = listOf(spec["initContainers"]).map(recordOf);
  const volumeNames = new Set([...volumes.map((volume) => stringOf(volume["name"])), ...moreVolumes]);
  const seen = new Set<string>();
  return [
    ...volumes.flatMap((volume, index) => validateVolume(volume, `${field}.volumes[${index}]`)),
    ...(containers.length === 0 ? [required(`${field}.containers`)] : []),
    ...containers.flatMap((item, index) => validateContainer(item, `${field}.containers[${index}]`, volumeNames, seen)),
    ...inits.flatMap((item, index) => validateContainer(item, `${field}.initContainers[${index}]`, volumeNames, seen)),
    ...validateRestartPolicy(spec, field, allowedRestart),
    ...validateGrace(spec, field),
  ];
}

function validateRestartPolicy(spec: JsonRecord, field: string, allowed?: readonly string[]): StatusCause[] {
  const policy = stringOf(spec["restartPolicy"]);
  const known = ["Always", "OnFailure", "Never"];
  if (!known.includes(policy)) return [notSupported(`${field}.restartPolicy`, policy, known)];
  if (allowed === undefined || allowed.includes(policy)) return [];
  return [notSupported(`${field}.restartPolicy`, policy, allowed)];
}

function validateGrace(spec: JsonRecord, field: string): StatusCause[] {
  const grace = spec["terminationGracePeriodSeconds"];
  if (typeof grace !== "number" || grace >= 0) return [];
  return [invalidValue(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than or equal to 0")];
}

function validateVolume(volume: JsonRecord, field: string): StatusCause[] {
  const name = stringOf(volume["name"]);
  if (name === "") return [required(`${field}.name`)];
  const complaint = checkLabelName(name);
  return complaint === null ? [] : [invalidValue(`${field}.name`, name, complaint)];
}

function validateContainer(
  container: JsonRecord,
  field: string,
  volumes: ReadonlySet<string>,
  seen: Set<string>,
): StatusCause[] {
  const name = stringOf(container["name"]);
  const complaint = name === "" ? null : checkLabelName(name);
  const isDuplicate = name !== "" && seen.has(name);
  seen.add(name);
  return [
    ...(name === "" ? [required(`${field}.name`)] : []),
    ...(complaint === null ? [] : [invalidValue(`${field}.name`, name, complaint)]),
    ...(isDuplicate ? [duplicate(`${field}.name`, name)] : []),
    ...(stringOf(container["image"]) === "" ? [required(`${field}.image`)] : []),
    ...listOf(container["ports"]).flatMap((port, index) => validatePort(recordOf(port), `${field}.ports[${index}]`)),
    ...listOf(container["env"]).flatMap((item, index) => validateEnv(recordOf(item), `${field}.env[${index}]`)),
    ...listOf(container["volumeMounts"]).flatMap((mount, index) =>
      validateMount(recordOf(mount), `${field}.volumeMounts[${index}]`, volumes),
    ),
    ...validateResources(recordOf(container["resources"]), `${field}.resources`),
  ];
}

function isPort(value: unknown): boolean {
  return typeof value === "number" && value >= 1 && value <= 65_535;
}

function validatePort(port: JsonRecord, field: string): StatusCause[] {
  const number = port["containerPort"];
  const protocol = stringOf(port["protocol"]);
  const protocols = ["SCTP", "TCP", "UDP"];
  return [
    ...(number === 0 || number === undefined
      ? [required(`${field}.containerPort`)]
      : isPort(number)
        ? []
        : [invalidValue(`${field}.containerPort`, number, "must be between 1 and 65535, inclusive")]),
    ...(protocols.includes(protocol) ? [] : [notSupported(`${field}.protocol`, protocol, protocols)]),
  ];
}

function validateEnv(variable: JsonRecord, field: string): StatusCause[] {
  const name = stringOf(variable["name"]);
  if (name === "") return [required(`${field}.name`)];
  if (name.includes("=") || !/^[\x20-\x7e]+$/.test(name)) {
    const detail = "a valid environment variable name must consist only of printable ASCII characters other than '='";
    return [invalidValue(`${field}.name`, name, detail)];
  }
  if (isRecord(variable["valueFrom"]) && stringOf(variable["value"]) !== "") {
    return [invalidValue(`${field}.valueFrom`, "", "may not be specified when `value` is not empty")];
  }
  return [];
}

function validateMount(mount: JsonRecord, field: string, volumes: ReadonlySet<string>): StatusCause[] {
  const name = stringOf(mount["name"]);
  return [
    ...(name === "" ? [required(`${field}.name`)] : []),
    ...(name !== "" && !volumes.has(name) ? [notFoundValue(`${field}.name`, name)] : []),
    ...(stringOf(mount["mountPath"]) === "" ? [required(`${field}.mountPath`)] : []),
  ];
}

function validateResources(resources: JsonRecord, field: string): StatusCause[] {
  const limits = recordOf(resources["limits"]);
  const causes: StatusCause[] = [];
  for (const [name, given] of Object.entries(recordOf(resources["requests"]))) {
    const request = parseQuantity(given);
    const limit = parseQuantity(limits[name]);
    if (request !== null && request.nano < 0n) {
      causes.push(invalidValue(`${field}.requests[${name}]`, given, "must be greater than or equal to 0"));
    }
    if (request === null || limit === null || request.nano <= limit.nano) continue;
    const detail = `must be less than or equal to ${name} limit of ${formatQuantity(limit)}`;
    causes.push(invalidValue(`${field}.requests`, given, detail));
  }
  return causes;
}

/** A pod's spec may change in a few members only: images, deadlines, added tolerations, the node (by binding). */
export function validatePodUpdate(
  spec: JsonRecord,
  before: JsonRecord,
  same: (a: unknown, b: unknown) => boolean,
): StatusCause[] {
  const plain = (value: JsonRecord): JsonRecord => ({
    ...value,
    activeDeadlineSeconds: null,
    tolerations: null,
    nodeName: null,
    schedulingGates: null,
    containers: listOf(value["containers"]).map((item) => ({ ...recordOf(item), image: "" })),
    initContainers: listOf(value["initContainers"]).map((item) => ({ ...recordOf(item), image: "" })),
  });
  const isNodeKept = before["nodeName"] === undefined || before["nodeName"] === spec["nodeName"];
  if (isNodeKept && same(plain(spec), plain(before))) return [];
  const detail =
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";
  return [forbiddenField("spec", detail)];
}
