import { readFileSync } from "node:fs";
import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";

/**
 * The types of the API, read from the OpenAPI documents of a real server. They say how objects merge: which maps and
 * lists are one value (atomic), which lists are keyed and by what, which fields exist at all.
 */
export type TypeNode = ScalarNode | StructNode | MapNode | ListNode;

export interface ScalarNode {
  readonly type: "scalar";
  readonly scalar: "string" | "integer" | "number" | "boolean" | "quantity" | "int-or-string" | "bytes" | "any";
  readonly format: string;
}

export interface StructNode {
  readonly type: "struct";
  /** The name without its package, as it stands in the texts of decoding errors: `DeploymentSpec`. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, TypeNode>;
  readonly required: ReadonlySet<string>;
  readonly isAtomic: boolean;
}

export interface MapNode {
  readonly type: "map";
  readonly values: TypeNode;
  readonly isAtomic: boolean;
}

export interface ListNode {
  readonly type: "list";
  readonly items: TypeNode;
  readonly listType: "atomic" | "map" | "set";
  readonly keys: readonly string[];
  /** Values of keys that may be left out, `protocol: TCP` of a port. */
  readonly keyDefaults: JsonRecord;
  /** How a strategic merge patch treats the list; its merge key is not always the key of apply. */
  readonly patchMergeKey: string | null;
  readonly isPatchMerged: boolean;
}

export interface Schema {
  /** The type of a kind, or null if the documents do not know it. */
  kindType(group: string, version: string, kind: string): StructNode | null;
}

const recorded = new URL("../../recorded/openapi/", import.meta.url);

export function readRecorded(file: string): JsonRecord {
  return recordOf(JSON.parse(readFileSync(new URL(file, recorded), "utf8")));
}

/** `api.v1` holds the core kinds; every other document is `apis.<group>.<version>`. */
export function loadSchema(documents: readonly string[]): Schema {
  const schemas = new Map<string, JsonRecord>();
  for (const document of documents) {
    const components = recordOf(recordOf(readRecorded(`${document}.json`)["components"])["schemas"]);
    for (const [name, schema] of Object.entries(components)) if (isRecord(schema)) schemas.set(name, schema);
  }
  const roots = new Map<string, string>();
  for (const [name, schema] of schemas) {
    for (const entry of listOf(schema["x-kubernetes-group-version-kind"])) {
      const { group, version, kind } = recordOf(entry);
      roots.set(`${stringOf(group)}/${stringOf(version)}/${stringOf(kind)}`, name);
    }
  }
  const compile = compiler(schemas);
  return {
    kindType(group, version, kind): StructNode | null {
      const name = roots.get(`${group}/${version}/${kind}`);
      const node = name === undefined ? null : compile({ $ref: name });
      return node?.type === "struct" ? node : null;
    },
  };
}

const any: ScalarNode = { type: "scalar", scalar: "any", format: "" };

function compiler(schemas: ReadonlyMap<string, JsonRecord>): (schema: JsonRecord) => TypeNode {
  const named = new Map<string, TypeNode>();

  function reference(ref: string, isAtomic: boolean): TypeNode {
    const name = ref.slice(ref.lastIndexOf("/") + 1);
    const key = `${name}${isAtomic ? "!" : ""}`;
    const known = named.get(key);
    if (known !== undefined) return known;
    const schema = schemas.get(name);
    if (schema === undefined) return any;
    const short = name.slice(name.lastIndexOf(".") + 1);
    const special = specialNode(short);
    if (special !== null) return special;
    if (!isRecord(schema["properties"])) {
      const node = build(schema);
      named.set(key, node);
      return node;
    }
    // The node is registered before its fields are compiled, because some types contain themselves.
    const fields = new Map<string, TypeNode>();
    const required = new Set(listOf(schema["required"]).map(stringOf));
    const atomic = isAtomic || schema["x-kubernetes-map-type"] === "atomic";
    const node: StructNode = { type: "struct", name: short, fields, required, isAtomic: atomic };
    named.set(key, node);
    for (const [field, property] of Object.entries(schema["properties"])) fields.set(field, build(recordOf(property)));
    return node;
  }

  function build(schema: JsonRecord): TypeNode {
    const isAtomic = schema["x-kubernetes-map-type"] === "atomic";
    const direct = stringOf(schema["$ref"]);
    if (direct !== "") return reference(direct, isAtomic);
    const [first] = listOf(schema["allOf"]);
    if (first !== undefined) return reference(stringOf(recordOf(first)["$ref"]), isAtomic);
    if (schema["type"] === "array") return listNode(schema);
    if (schema["type"] === "object") {
      const values = schema["additionalProperties"];
      return isRecord(values) ? { type: "map", values: build(values), isAtomic } : any;
    }
    return scalarNode(schema);
  }

  function listNode(schema: JsonRecord): ListNode {
    const items = build(recordOf(schema["items"]));
    const declared = schema["x-kubernetes-list-type"];
    const listType = declared === "map" || declared === "set" ? declared : "atomic";
    const keys = listOf(schema["x-kubernetes-list-map-keys"]).map(stringOf);
    const mergeKey = stringOf(schema["x-kubernetes-patch-merge-key"]);
    return {
      type: "list",
      items,
      listType,
      keys,
      // The only key with a default among the kinds served here; the documents give it as the default of the field.
      keyDefaults: keys.includes("protocol") ? { protocol: "TCP" } : {},
      patchMergeKey: mergeKey === "" ? null : mergeKey,
      isPatchMerged: stringOf(schema["x-kubernetes-patch-strategy"]).includes("merge"),
    };
  }

  return build;
}

function specialNode(shortName: string): TypeNode | null {
  if (shortName === "Quantity") return { type: "scalar", scalar: "quantity", format: "" };
  if (shortName === "IntOrString") return { type: "scalar", scalar: "int-or-string", format: "" };
  if (shortName === "FieldsV1" || shortName === "RawExtension") return any;
  return null;
}

function scalarNode(schema: JsonRecord): ScalarNode {
  const format = stringOf(schema["format"]);
  if (format === "int-or-string") return { type: "scalar", scalar: "int-or-string", format };
  if (format === "byte") return { type: "scalar", scalar: "bytes", format };
  const type = schema["type"];
  if (type === "string" || type === "integer" || type === "number" || type === "boolean") {
    return { type: "scalar", scalar: type, format };
  }
  return any;
}
