import { deepEqual, listOf, recordOf, stringMap, stringOf, type JsonRecord } from "../kube/json.ts";
import { forbiddenField, immutable, invalidValue, required, tooLong } from "../kube/causes.ts";
import { checkDns1035, checkLabelName, checkLabelValue, checkQualifiedName, checkSubdomain } from "../kube/names.ts";
import type { KubeObject } from "../kube/object.ts";
import type { StatusCause } from "../kube/status.ts";
import type { Resource } from "./registry.ts";

const annotationLimitBytes = 262_144;

const standardFinalizers = new Set(["foregroundDeletion", "orphan", "kubernetes"]);

/** Names of the kinds that are stricter than a DNS subdomain. */
function nameComplaint(resource: Resource, name: string): string | null {
  if (resource.key === "namespaces" && name.includes(".")) return "must not contain dots";
  if (resource.key === "namespaces") return checkLabelName(name, "or '-', ");
  if (resource.key === "services") return checkDns1035(name);
  return checkSubdomain(name);
}

export function validateMetadata(resource: Resource, object: JsonRecord): StatusCause[] {
  const metadata = recordOf(object["metadata"]);
  const name = stringOf(metadata["name"]);
  const complaint = name === "" ? null : nameComplaint(resource, name);
  return [
    ...(name === "" ? [required("metadata.name", "name or generateName is required")] : []),
    ...(complaint === null ? [] : [invalidValue("metadata.name", name, complaint)]),
    ...validateLabels("metadata.labels", metadata["labels"]),
    ...validateAnnotations(metadata["annotations"]),
    ...validateOwners(metadata["ownerReferences"]),
    ...validateFinalizers(metadata["finalizers"]),
  ];
}

export function validateLabels(field: string, labels: unknown): StatusCause[] {
  return Object.entries(stringMap(labels)).flatMap(([key, value]) => {
    const keyComplaint = checkQualifiedName(key);
    const valueComplaint = checkLabelValue(value);
    return [
      ...(keyComplaint === null ? [] : [invalidValue(field, key, keyComplaint)]),
      ...(valueComplaint === null ? [] : [invalidValue(field, value, valueComplaint)]),
    ];
  });
}

function validateAnnotations(annotations: unknown): StatusCause[] {
  const field = "metadata.annotations";
  const entries = Object.entries(stringMap(annotations));
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  const keys = entries.flatMap(([key]) => {
    const complaint = checkQualifiedName(key.toLowerCase());
    return complaint === null ? [] : [invalidValue(field, key, complaint)];
  });
  return bytes > annotationLimitBytes ? [...keys, tooLong(field, annotationLimitBytes)] : keys;
}

function validateOwners(owners: unknown): StatusCause[] {
  const field = "metadata.ownerReferences";
  const references = listOf(owners).map(recordOf);
  const causes = references.flatMap((reference) =>
    ["apiVersion", "kind", "name", "uid"]
      .filter((member) => stringOf(reference[member]) === "")
      .map((member) => invalidValue(`${field}.${member}`, reference[member] ?? "", "must not be empty")),
  );
  const controllers = references.filter((reference) => reference["controller"] === true);
  if (controllers.length > 1) {
    const [first, second] = controllers.map(
      (reference) => `${stringOf(reference["kind"])}/${stringOf(reference["name"])}`,
    );
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`;
    causes.push(invalidValue(field, references, detail));
  }
  return causes;
}

function validateFinalizers(finalizers: unknown): StatusCause[] {
  return listOf(finalizers).flatMap((finalizer, index) => {
    const text = stringOf(finalizer);
    const field = `metadata.finalizers[${index}]`;
    const complaint = checkQualifiedName(text);
    if (complaint !== null) return [invalidValue(field, text, complaint)];
    if (text.includes("/") || standardFinalizers.has(text)) return [];
    return [invalidValue(field, text, "name is neither a standard finalizer name nor is it fully qualified")];
  });
}

/** The members of metadata that no update may change. */
export function validateMetadataUpdate(object: JsonRecord, previous: KubeObject): StatusCause[] {
  const metadata = recordOf(object["metadata"]);
  const causes: StatusCause[] = [];
  const before = previous.metadata;
  if (metadata["uid"] !== before.uid) {
    const cause = immutable("metadata.uid", metadata["uid"]);
    // The real server checks it twice, once for the kind and once for all, and reports it twice.
    causes.push(cause, cause);
  }
  if (before.deletionTimestamp !== undefined) {
    const known = before.finalizers ?? [];
    const added = listOf(metadata["finalizers"])
      .map(stringOf)
      .filter((finalizer) => !known.includes(finalizer));
    if (added.length > 0) {
      const list = added.map((finalizer) => `"${finalizer}"`).join(", ");
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
      const cause = forbiddenField("metadata.finalizers", detail);
      causes.push(cause, cause);
    }
  }
  if (!deepEqual(metadata["name"], before.name)) causes.push(immutable("metadata.name", metadata["name"]));
  return causes;
}
