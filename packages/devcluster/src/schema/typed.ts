import { isRecord } from "../kube/json.ts";
import { pathElement, showElement } from "../fields/path.ts";
import type { ScalarNode, TypeNode } from "./schema.ts";

/**
 * Checks an applied configuration against the type. The server reads it strictly, before anything else: the complaint
 * (null when it fits) becomes a 500, whatever fieldValidation says.
 */
export function typedComplaint(type: TypeNode, value: unknown, path = ""): string | null {
  if (value === null || value === undefined) return null;
  if (type.type === "scalar") {
    const wrong = scalarComplaint(type, value);
    return wrong === null ? null : `${path}: ${wrong}`;
  }
  if (type.type === "list") {
    if (!Array.isArray(value)) return `${path}: expected list, got ${shown(value)}`;
    const seen = new Set<string>();
    for (const [index, item] of value.entries()) {
      const element = type.listType === "atomic" ? null : pathElement(type, item);
      const itemPath = element === null ? `${path}[${index}]` : `${path}${showElement(element)}`;
      if (element !== null && seen.has(element)) return `${path}: duplicate entries for key ${showElement(element)}`;
      if (element !== null) seen.add(element);
      const complaint = typedComplaint(type.items, item, itemPath);
      if (complaint !== null) return complaint;
    }
    return null;
  }
  if (!isRecord(value)) return `${path}: expected map, got ${shown(value)}`;
  for (const [key, item] of Object.entries(value)) {
    const field = type.type === "struct" ? type.fields.get(key) : type.values;
    if (field === undefined) return `${path}.${key}: field not declared in schema`;
    const complaint = typedComplaint(field, item, `${path}.${key}`);
    if (complaint !== null) return complaint;
  }
  return null;
}

function scalarComplaint(type: ScalarNode, value: unknown): string | null {
  const isScalar = ["string", "number", "boolean"].includes(typeof value);
  switch (type.scalar) {
    case "any":
      return null;
    case "quantity":
    case "int-or-string":
      return isScalar ? null : `expected scalar, got ${shown(value)}`;
    case "string":
    case "bytes":
      return typeof value === "string"
        ? null
        : `expected string, got &value.valueUnstructured{Value:${shownValue(value)}}`;
    case "integer":
    case "number":
      return typeof value === "number" ? null : `expected numeric (int or float), got ${shown(value)}`;
    case "boolean":
      return typeof value === "boolean" ? null : `expected boolean, got ${shown(value)}`;
  }
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return isRecord(value) ? "map" : typeof value;
}

function shownValue(value: unknown): string {
  return isRecord(value) || Array.isArray(value) ? shown(value) : JSON.stringify(value);
}
