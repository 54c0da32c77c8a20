import { recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { invalid, type StatusCause } from "../kube/status.ts";
import type { Resource } from "./registry.ts";
import { semanticallyEqual } from "./prepare.ts";
import { validations } from "./validate-kinds.ts";
import { validateMetadata, validateMetadataUpdate } from "./validate-meta.ts";
import { validatePodSpec, validatePodUpdate } from "./validate-pod.ts";

/** Throws a 422 that lists every complaint at once. */
export function validate(resource: Resource, object: JsonRecord, previous: KubeObject | null): void {
  const causes = [
    ...validateMetadata(resource, object),
    ...(previous === null ? [] : validateMetadataUpdate(object, previous)),
    ...(resource.key === "pods" ? validatePod(resource, object, previous) : []),
    ...(validations[resource.key]?.(object, previous) ?? []),
  ];
  if (causes.length > 0) throw invalid(resource, stringOf(recordOf(object["metadata"])["name"]), causes);
}

function validatePod(resource: Resource, object: JsonRecord, previous: KubeObject | null): StatusCause[] {
  const spec = recordOf(object["spec"]);
  const causes = validatePodSpec(spec, "spec");
  if (previous === null || causes.length > 0) return causes;
  const type = resource.type.fields.get("spec") ?? resource.type;
  return validatePodUpdate(spec, recordOf(previous["spec"]), (a, b) => semanticallyEqual(type, a, b));
}
