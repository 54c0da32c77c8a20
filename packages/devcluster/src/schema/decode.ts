import { isRecord, type JsonRecord } from "../kube/json.ts";
import { formatQuantity, parseQuantity, quantityPattern } from "../kube/quantity.ts";
import { omitsEmpty } from "./omit.ts";
import type { ListNode, MapNode, ScalarNode, StructNode, TypeNode } from "./schema.ts";

/** The body does not fit the type: where it came from decides whether that is a 400, a 422 or a 500. */
export class DecodeError extends Error {}

export interface Decoded {
  readonly value: JsonRecord;
  /** Members that the type does not have, as `unknown field "spec.foo"` texts; they are not in `value`. */
  readonly unknownFields: readonly string[];
}

/**
 * Reads a body as a server does that decodes into typed structs and encodes again: unknown members are dropped and
 * reported, nulls vanish (inside a map they become the empty value), empty optional members vanish, quantities are
 * rewritten in their short form.
 */
export function decode(type: StructNode, body: JsonRecord): Decoded {
  const context: Context = { unknownFields: [], goPath: "", struct: type.name };
  const value = struct(type, body, "", context);
  return { value, unknownFields: context.unknownFields };
}

interface Context {
  readonly unknownFields: string[];
  /** The path of JSON names from the root, which the error texts of the decoder show after the struct's name. */
  readonly goPath: string;
  readonly struct: string;
}

function inside(context: Context, struct: string, field: string): Context {
  return { ...context, struct, goPath: context.goPath === "" ? field : `${context.goPath}.${field}` };
}

function convert(type: TypeNode, value: unknown, path: string, context: Context): unknown {
  switch (type.type) {
    case "scalar":
      return scalar(type, value, context);
    case "struct":
      if (!isRecord(value)) throw mismatch(value, context, goTypeName(type));
      return struct(type, value, path, context);
    case "map":
      return map(type, value, path, context);
    case "list":
      return list(type, value, path, context);
  }
}

function struct(type: StructNode, body: JsonRecord, path: string, context: Context): JsonRecord {
  const result: JsonRecord = {};
  for (const [name, value] of Object.entries(body)) {
    const field = type.fields.get(name);
    const fieldPath = path === "" ? name : `${path}.${name}`;
    if (field === undefined) {
      context.unknownFields.push(`unknown field "${fieldPath}"`);
      continue;
    }
    if (value === null || value === undefined) {
      if (keepsNull(type, name)) result[name] = null;
      continue;
    }
    const converted = convert(field, value, fieldPath, inside(context, type.name, name));
    if (!omitsEmpty(type, name, field, converted)) result[name] = converted;
  }
  return result;
}

/** Times without omitempty: they are answered as null when there is none. */
function keepsNull(type: StructNode, field: string): boolean {
  if (type.name === "Event") return ["eventTime", "firstTimestamp", "lastTimestamp"].includes(field);
  return field === "lastProbeTime" && type.name === "PodCondition";
}

function map(type: MapNode, value: unknown, path: string, context: Context): JsonRecord {
  const goType = goTypeName(type);
  if (!isRecord(value)) throw mismatch(value, context, goType);
  const result: JsonRecord = {};
  for (const [key, item] of Object.entries(value)) {
    const given = item === null ? emptyOf(type.values) : item;
    result[key] = convert(type.values, given, `${path}.${key}`, context);
  }
  return result;
}

function emptyOf(type: TypeNode): unknown {
  if (type.type === "list") return [];
  if (type.type !== "scalar") return {};
  return type.scalar === "quantity" ? "0" : type.scalar === "boolean" ? false : "";
}

function list(type: ListNode, value: unknown, path: string, context: Context): unknown[] {
  if (!Array.isArray(value)) throw mismatch(value, context, goTypeName(type));
  return value.map((item: unknown, index) =>
    convert(type.items, item === null ? emptyOf(type.items) : item, `${path}[${index}]`, context),
  );
}

function scalar(type: ScalarNode, value: unknown, context: Context): unknown {
  switch (type.scalar) {
    case "any":
      return value;
    case "quantity": {
      const quantity = parseQuantity(value);
      if (quantity === null) throw new DecodeError(`quantities must match the regular expression '${quantityPattern}'`);
      return formatQuantity(quantity);
    }
    case "int-or-string":
      if (typeof value === "string" || typeof value === "number") return value;
      throw mismatch(value, context, "int32");
    case "bytes":
      return bytes(value, context);
    case "string":
      if (typeof value === "string") return value;
      throw mismatch(value, context, "string");
    case "boolean":
      if (typeof value === "boolean") return value;
      throw mismatch(value, context, "bool");
    case "integer":
      if (typeof value === "number" && Number.isInteger(value)) return value;
      throw mismatch(value, context, type.format === "int64" ? "int64" : "int32");
    case "number":
      if (typeof value === "number") return value;
      throw mismatch(value, context, "float64");
  }
}

function bytes(value: unknown, context: Context): string {
  if (typeof value !== "string") throw mismatch(value, context, "[]uint8");
  const wrong =
    /[^A-Za-z0-9+/=]/.exec(value)?.index ?? (value.length % 4 === 0 ? -1 : value.length - (value.length % 4));
  if (wrong >= 0) throw new DecodeError(`illegal base64 data at input byte ${wrong}`);
  return value;
}

function goTypeName(type: TypeNode): string {
  if (type.type === "map") return `map[string]${goTypeName(type.values)}`;
  if (type.type === "list") return `[]${goTypeName(type.items)}`;
  return type.type === "struct" ? `v1.${type.name}` : type.scalar === "bytes" ? "[]uint8" : type.scalar;
}

function mismatch(value: unknown, context: Context, goType: string): DecodeError {
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return new DecodeError(
    `json: cannot unmarshal ${found} into Go struct field ${context.struct}.${context.goPath} of type ${goType}`,
  );
}
