import { readFileSync } from "node:fs";

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
}

const schemas = JSON.parse(readFileSync(new URL("../../recorded/openapi.json", import.meta.url), "utf8")) as Record<
  string,
  Schema
>;
const prefix = "#/components/schemas/";
const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const groups: Readonly<Record<string, string>> = {
  v1: "io.k8s.api.core.v1",
  "apps/v1": "io.k8s.api.apps.v1",
  "batch/v1": "io.k8s.api.batch.v1",
  "networking.k8s.io/v1": "io.k8s.api.networking.v1",
};

/**
 * Problems of an object under the schema that a real server published, as `path: what is wrong`; empty when it is valid.
 * Stricter than the schema: a field that the schema does not know is a problem, as it is for server-side apply.
 */
export function validateManifest(manifest: { readonly apiVersion: string; readonly kind: string }): readonly string[] {
  const name = `${groups[manifest.apiVersion] ?? manifest.apiVersion}.${manifest.kind}`;
  if (schemas[name] === undefined) return [`no schema for ${name}`];
  // What goes over the wire is JSON, so that is what is judged: undefined fields are gone by then.
  return problems(JSON.parse(JSON.stringify(manifest)), { $ref: prefix + name }, manifest.kind);
}

function problems(value: unknown, schema: Schema, path: string): readonly string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(prefix.length);
    const target = schemas[name];
    if (target === undefined) return [`${path}: no schema ${name}`];
    return name === quantity ? quantityProblems(value, path) : problems(value, target, path);
  }
  if (schema.allOf !== undefined) return schema.allOf.flatMap((part) => problems(value, part, path));
  if (schema.oneOf !== undefined) {
    const fits = schema.oneOf.some((option) => problems(value, option, path).length === 0);
    return fits ? [] : [`${path}: fits none of the allowed types`];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path}: not one of the allowed values`];
  return typeProblems(value, schema, path);
}

function typeProblems(value: unknown, schema: Schema, path: string): readonly string[] {
  switch (schema.type) {
    case "object":
      if (value === null || typeof value !== "object" || Array.isArray(value)) return [`${path}: not an object`];
      return objectProblems(value as Readonly<Record<string, unknown>>, schema, path);
    case "array":
      if (!Array.isArray(value)) return [`${path}: not an array`];
      return value.flatMap((item, index) => problems(item, schema.items ?? {}, `${path}[${String(index)}]`));
    case "integer":
      return Number.isSafeInteger(value) ? [] : [`${path}: not a whole number`];
    case "number":
      return typeof value === "number" ? [] : [`${path}: not a number`];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${path}: not a boolean`];
    case "string":
      return stringProblems(value, schema, path);
    case undefined:
    default:
      return [];
  }
}

function objectProblems(value: Readonly<Record<string, unknown>>, schema: Schema, path: string): readonly string[] {
  const missing = (schema.required ?? []).filter((key) => !(key in value)).map((key) => `${path}: lacks ${key}`);
  const found = Object.entries(value).flatMap(([key, field]) => {
    const known = schema.properties?.[key] ?? schema.additionalProperties;
    return known === undefined ? [`${path}.${key}: unknown field`] : problems(field, known, `${path}.${key}`);
  });
  return [...missing, ...found];
}

function stringProblems(value: unknown, schema: Schema, path: string): readonly string[] {
  if (typeof value !== "string") return [`${path}: not a string`];
  if (schema.format === "byte" && Buffer.from(value, "base64").toString("base64") !== value) {
    return [`${path}: not base64`];
  }
  return [];
}

function quantityProblems(value: unknown, path: string): readonly string[] {
  const form = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/u;
  return typeof value === "number" || (typeof value === "string" && form.test(value))
    ? []
    : [`${path}: not a quantity`];
}
