/**
 * Cuts the OpenAPI documents of a server down to the schemas of the kinds that we render.
 *
 * Usage: node packages/provisioner/recorded/prune.ts FOLDER > packages/provisioner/recorded/openapi.json
 * FOLDER holds api.v1.json, apis.apps.v1.json, apis.batch.v1.json and apis.networking.k8s.io.v1.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

const documents = ["api.v1", "apis.apps.v1", "apis.batch.v1", "apis.networking.k8s.io.v1"];
const kinds = [
  ...[
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
  ].map((kind) => `io.k8s.api.core.v1.${kind}`),
  ...["Deployment", "StatefulSet"].map((kind) => `io.k8s.api.apps.v1.${kind}`),
  "io.k8s.api.batch.v1.Job",
  ...["NetworkPolicy", "Ingress"].map((kind) => `io.k8s.api.networking.v1.${kind}`),
];
const kept = [
  "type",
  "format",
  "$ref",
  "properties",
  "required",
  "items",
  "additionalProperties",
  "allOf",
  "oneOf",
  "enum",
];
const prefix = "#/components/schemas/";

const folder = process.argv[2];
if (folder === undefined) throw new Error("The folder with the OpenAPI documents is missing.");
const all: Record<string, Json> = {};
for (const name of documents) {
  const document = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Document;
  Object.assign(all, document.components.schemas);
}

const pruned: Record<string, Json> = {};
const queue = [...kinds];
for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
  const schema = all[name];
  if (schema === undefined) throw new Error(`The documents hold no schema ${name}.`);
  if (name in pruned) continue;
  pruned[name] = prune(schema, queue);
}
const sorted = Object.fromEntries(Object.entries(pruned).toSorted(([a], [b]) => (a < b ? -1 : 1)));
process.stdout.write(`${JSON.stringify(sorted)}\n`);

/** Drops prose, defaults and our own server's extensions, and collects what is referred to. */
function prune(schema: Json, references: string[], isPropertyMap = false): Json {
  if (Array.isArray(schema)) return schema.map((item) => prune(item as Json, references));
  if (schema === null || typeof schema !== "object") return schema;
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (!isPropertyMap && !kept.includes(key)) continue;
    if (!isPropertyMap && key === "$ref" && typeof value === "string") references.push(value.slice(prefix.length));
    result[key] = prune(value, references, !isPropertyMap && key === "properties");
  }
  return result;
}
