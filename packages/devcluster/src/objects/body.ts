import { isRecord, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { badRequest } from "../kube/status.ts";
import type { Resource } from "../resources/registry.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import type { WriteOptions } from "./context.ts";

/** Reads a POST or PUT body as its kind: 400 when it does not fit, warnings (or 400) for members nobody knows. */
export function decodeBody(resource: Resource, body: unknown, options: WriteOptions): JsonRecord {
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`);
  checkType(resource, body);
  const prefix = `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`;
  try {
    const { value, unknownFields } = decode(resource.type, body);
    if (unknownFields.length > 0 && options.fieldValidation === "Strict") {
      throw badRequest(`${prefix}: strict decoding error: ${unknownFields.join(", ")}`);
    }
    if (options.fieldValidation === "Warn") options.warnings.push(...unknownFields);
    return { ...value, kind: resource.kind, apiVersion: resource.groupVersion };
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${prefix}: ${error.message}`);
    throw error;
  }
}

/** kind and apiVersion may be missing in a body, since the path names them, but must not contradict the path. */
function checkType(resource: Resource, body: JsonRecord): void {
  const apiVersion = stringOf(body["apiVersion"]);
  const kind = stringOf(body["kind"]);
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const subject = `${kind === "" ? resource.kind : kind} in version "${version}" cannot be handled as a ${resource.kind}`;
  if (apiVersion !== "" && group !== resource.group) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${resource.groupVersion})`,
    );
  }
  if (apiVersion !== "" && version !== resource.version) {
    const scheme = 'in scheme "pkg/runtime/scheme.go:110"';
    throw badRequest(`${subject}: no kind "${kind}" is registered for version "${apiVersion}" ${scheme}`);
  }
  if (kind !== "" && kind !== resource.kind) {
    throw badRequest(`${subject}: converting (v1.${kind}) to (core.${resource.kind}): unknown conversion`);
  }
}

export function checkNamespace(body: JsonRecord, namespace: string): void {
  const given = stringOf(recordOf(body["metadata"])["namespace"]);
  if (given === "" || given === namespace) return;
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

export function checkName(body: JsonRecord, name: string): void {
  const given = stringOf(recordOf(body["metadata"])["name"]);
  if (given === "") {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (given !== name)
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}
