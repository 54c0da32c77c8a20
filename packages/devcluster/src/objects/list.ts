import { at, recordOf, stringOf } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { parseFieldSelector, parseLabelSelector } from "../kube/selector.ts";
import { badRequest } from "../kube/status.ts";
import type { Resource } from "../resources/registry.ts";

export interface Selection {
  readonly matches: (object: KubeObject) => boolean;
  readonly isEverything: boolean;
}

/** The label and field selector of a list, watch or deletecollection. 400 for what cannot be parsed or selected by. */
export function selectionOf(resource: Resource, labelSelector: string | null, fieldSelector: string | null): Selection {
  const byLabels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  for (const { path } of fields) {
    const isKnown = path === "metadata.name" || (path === "metadata.namespace" && resource.isNamespaced);
    if (!isKnown && !resource.fieldLabels.includes(path)) throw badRequest(`field label not supported: ${path}`);
  }
  return {
    isEverything: byLabels === null && fields.length === 0,
    matches: (object) =>
      (byLabels === null || byLabels(object.metadata.labels ?? {})) &&
      fields.every(({ path, value, isEqual }) => (fieldText(object, path) === value) === isEqual),
  };
}

function fieldText(object: KubeObject, path: string): string {
  if (path === "source") {
    return stringOf(recordOf(object["source"])["component"]) || stringOf(object["reportingComponent"]);
  }
  const value = at(object, ...path.split("."));
  if (value === undefined || value === null) return isBooleanField(path) ? "false" : isCountField(path) ? "0" : "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isBooleanField(path: string): boolean {
  return path === "spec.hostNetwork" || path === "spec.unschedulable";
}

function isCountField(path: string): boolean {
  return path === "status.successful" || path === "status.replicas";
}
