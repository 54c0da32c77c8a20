import type { StructNode, TypeNode } from "./schema.ts";

/**
 * Which empty members a server leaves out of its answers. OpenAPI does not tell a pointer from a value, so the members
 * whose emptiness differs from the rule of their type are named here; each was seen in recorded answers.
 */

/** Booleans that are plain values: false is the same as absent. All others keep an explicit false. */
const plainBooleans = new Set(
  ["hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "paused", "unschedulable"].concat([
    "publishNotReadyAddresses",
  ]),
);

/** Numbers that are plain values: 0 is the same as absent. All others keep an explicit 0. */
const plainNumbers = new Set(
  [
    "minReadySeconds",
    "initialDelaySeconds",
    "hostPort",
    "nodePort",
    "healthCheckNodePort",
    "observedGeneration",
  ].concat(
    ["updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "currentReplicas"],
    ["fullyLabeledReplicas", "active", "succeeded", "failed", "signal", "count", "generation", "periodSeconds"],
    ["timeoutSeconds", "successThreshold", "failureThreshold"],
  ),
);

/** Strings where "" means something: a claim of class "" wants no dynamic volume. */
const meaningfulStrings = new Set(["storageClassName", "ingressClassName", "reportingComponent", "reportingInstance"]);

export function omitsEmpty(type: StructNode, name: string, field: TypeNode, value: unknown): boolean {
  if (type.required.has(name)) return false;
  if (Array.isArray(value)) return value.length === 0;
  if (field.type === "map") return Object.keys(value as object).length === 0 && !keepsEmptyMap(type, name);
  if (value === "") return !meaningfulStrings.has(name) && !isKey(type, name) && type.name !== "HostPathVolumeSource";
  if (value === false) return plainBooleans.has(name);
  if (value === 0) return isPlainNumber(type, name);
  return false;
}

/** Names of list entries and of objects stay, even empty, so that validation can complain about them. */
function isKey(type: StructNode, name: string): boolean {
  return name === "name" && type.name !== "ObjectMeta" && type.name !== "ContainerPort";
}

function keepsEmptyMap(type: StructNode, name: string): boolean {
  return type.name === "EmptyDirVolumeSource" && name === "medium";
}

function isPlainNumber(type: StructNode, name: string): boolean {
  if (name === "replicas") return type.name.endsWith("Status") || type.name === "ScaleSpec";
  if (name === "availableReplicas") return type.name !== "StatefulSetStatus";
  if (name === "generation") return type.name === "ObjectMeta";
  return plainNumbers.has(name);
}
