import { isRecord, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { invalidValue } from "../kube/causes.ts";
import type { KubeObject } from "../kube/object.ts";
import { ApiError, badRequest, invalid } from "../kube/status.ts";
import { jsonPatch, PatchError } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge.ts";
import { strategicPatch } from "../patch/strategic.ts";
import type { Resource } from "../resources/registry.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import type { StructNode } from "../schema/schema.ts";
import { checkNamespace } from "./body.ts";
import type { Objects, WriteOptions } from "./context.ts";
import { getObject } from "./create.ts";
import { replace } from "./update.ts";

export type PatchKind = "merge" | "json" | "strategic";

/** The three patches that are not apply: the patched object is decoded and stored like a PUT. */
export function patchObject(
  objects: Objects,
  resource: Resource,
  namespace: string,
  name: string,
  kind: PatchKind,
  patch: unknown,
  options: WriteOptions,
): KubeObject {
  checkPatch(kind, patch);
  const live = getObject(objects, resource, namespace, name);
  const patched = patchValue(resource.type, live, kind, patch);
  const given = recordOf(patched["metadata"]);
  if (stringOf(given["name"]) !== name) {
    throw badRequest(
      `the name of the object (${stringOf(given["name"])}) does not match the name on the URL (${name})`,
    );
  }
  checkNamespace(patched, namespace);
  const draft = decodePatched(resource, patched, options);
  return replace(objects, resource, live, draft, options);
}

/** Applies a patch to any value of a type: objects, and the Scale of an object. */
export function patchValue(type: StructNode, target: JsonRecord, kind: PatchKind, patch: unknown): JsonRecord {
  checkPatch(kind, patch);
  if (kind === "merge") return recordOf(mergePatch(target, patch));
  if (kind === "strategic") return recordOf(strategicPatch(type, target, patch));
  try {
    return jsonPatch(target, Array.isArray(patch) ? patch : []);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    const message = "the server rejected our request due to an error in our request";
    throw new ApiError(422, "Invalid", message, { details: {} });
  }
}

function checkPatch(kind: PatchKind, patch: unknown): void {
  const found = Array.isArray(patch) ? "array" : isRecord(patch) ? "object" : typeof patch;
  if (kind === "json" && found !== "array") {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (kind !== "json" && found !== "object") {
    const goType = "map[string]interface {}";
    throw badRequest(`error decoding patch: json: cannot unmarshal ${found} into Go value of type ${goType}`);
  }
}

/** A patched object that breaks the schema is a 422 with neither kind nor name, but the whole object in its text. */
function decodePatched(resource: Resource, patched: JsonRecord, options: WriteOptions): JsonRecord {
  const refuse = (why: string): ApiError =>
    invalid({ group: "", kind: "" }, "", [invalidValue("patch", JSON.stringify(patched), why)]);
  try {
    const { value, unknownFields } = decode(resource.type, patched);
    if (unknownFields.length > 0 && options.fieldValidation === "Strict") {
      throw refuse(`strict decoding error: ${unknownFields.join(", ")}`);
    }
    if (options.fieldValidation === "Warn") options.warnings.push(...unknownFields);
    return { ...value, kind: resource.kind, apiVersion: resource.groupVersion };
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
}
