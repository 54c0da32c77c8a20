import { isRecord, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kube/object.ts";
import { badRequest, conflict, internal } from "../kube/status.ts";
import { applyConfiguration, type Ownership } from "../fields/managed-fields.ts";
import { prepareForUpdate } from "../resources/prepare.ts";
import type { Resource } from "../resources/registry.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import { typedComplaint } from "../schema/typed.ts";
import { fromFieldsV1, toFieldsV1 } from "../fields/field-set.ts";
import { fieldsOf } from "../fields/walk.ts";
import { checkNamespace } from "./body.ts";
import { blankObject, type Objects, type WriteOptions } from "./context.ts";
import { finishDraft, insert } from "./create.ts";
import { checkVersion, commit, keepServerMetadata } from "./update.ts";

export interface ApplyResult {
  readonly object: KubeObject;
  readonly isCreated: boolean;
}

/** Server-side apply of an object, or of its status. Creates the object if there is none. */
export function applyObject(
  objects: Objects,
  resource: Resource,
  namespace: string,
  name: string,
  body: unknown,
  isForced: boolean,
  options: WriteOptions,
): ApplyResult {
  const config = writableBranches(
    resource,
    checkedConfig(resource, namespace, name, body),
    options.subresource === "status",
  );
  const live = objects.store.get(resource.key, namespace, name);
  const { subresource } = options;
  const writer = {
    manager: options.manager,
    operation: "Apply",
    apiVersion: resource.groupVersion,
    subresource,
  } as const;
  const ownership: Ownership = {
    type: resource.type,
    onlyBranch: subresource === "status" ? "status" : null,
    hasStatus: resource.hasStatus,
  };
  const convert = (value: JsonRecord): JsonRecord => reencode(resource, name, value);
  if (live === undefined) {
    const uid = stringOf(recordOf(config["metadata"])["uid"]);
    if (uid !== "") {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(resource, name, why);
    }
    const applied = applyConfiguration(ownership, blankObject(resource), config, undefined, writer, true, convert);
    const draft = { ...applied.value, metadata: { ...recordOf(applied.value["metadata"]), name } };
    finishDraft(resource, draft);
    return {
      object: insert(objects, resource, namespace, draft, applied.entries(draft), options),
      isCreated: true,
    };
  }
  checkVersion(resource, config, live);
  const applied = applyConfiguration(ownership, live, config, pastOwners(resource, live), writer, isForced, convert);
  const draft = applied.value;
  const isStatus = subresource === "status";
  const next: JsonRecord = isStatus ? { ...live, status: draft["status"] ?? {} } : draft;
  const uid = recordOf(config["metadata"])["uid"];
  next["metadata"] = keepServerMetadata({ ...recordOf(next["metadata"]), uid: uid ?? live.metadata.uid }, live);
  if (!isStatus) {
    finishDraft(resource, next);
    prepareForUpdate(resource, next, live);
  }
  return { object: commit(objects, resource, live, next, () => applied.entries(next), options), isCreated: false };
}

/** The status is written through its own endpoint only, and that endpoint writes nothing else. */
function writableBranches(resource: Resource, config: JsonRecord, isStatus: boolean): JsonRecord {
  const { apiVersion, kind, metadata, status, ...rest } = config;
  const identity = { name: recordOf(metadata)["name"], uid: recordOf(metadata)["uid"] };
  if (isStatus) return { apiVersion, kind, metadata: identity, ...(status === undefined ? {} : { status }) };
  const isKept = status !== undefined && !resource.hasStatus;
  return { apiVersion, kind, metadata, ...rest, ...(isKept ? { status } : {}) };
}

/** An object whose owners were never recorded gets a pseudo owner of all it holds when it is first applied to. */
function pastOwners(resource: Resource, live: KubeObject): ManagedFieldsEntry[] {
  if (live.metadata.managedFields !== undefined) return live.metadata.managedFields;
  const { status: _status, ...rest } = live;
  const { name: _name, namespace: _namespace, uid: _uid, ...metadata } = live.metadata;
  const owned = fieldsOf(resource.type, { ...rest, metadata: ownedMetadata(metadata) });
  const fields = toFieldsV1(fromFieldsV1(toFieldsV1(owned)));
  delete fields["f:kind"];
  delete fields["f:apiVersion"];
  return [
    {
      manager: "before-first-apply",
      operation: "Update",
      apiVersion: resource.groupVersion,
      fieldsType: "FieldsV1",
      fieldsV1: fields,
    },
  ];
}

function ownedMetadata(metadata: JsonRecord): JsonRecord {
  const members = ["labels", "annotations", "ownerReferences", "finalizers"];
  return Object.fromEntries(Object.entries(metadata).filter(([member]) => members.includes(member)));
}

function checkedConfig(resource: Resource, namespace: string, name: string, body: unknown): JsonRecord {
  if (!isRecord(body)) throw badRequest("error decoding YAML: the body is no object");
  const apiVersion = stringOf(body["apiVersion"]);
  const kind = stringOf(body["kind"]);
  if (kind !== resource.kind || apiVersion !== resource.groupVersion) {
    const type = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
    throw badRequest(`invalid object type: ${type}, Kind=${kind}`);
  }
  const metadata = recordOf(body["metadata"]);
  const given = stringOf(metadata["name"]);
  if (given !== "" && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  checkNamespace(body, namespace);
  const managedFields = metadata["managedFields"];
  if (Array.isArray(managedFields) && managedFields.length > 0) throw badRequest("metadata.managedFields must be nil");
  const complaint = typedComplaint(resource.type, body);
  if (complaint !== null)
    throw internal(`failed to create typed patch object ${described(resource, name)}: ${complaint}`);
  const { managedFields: _managedFields, ...ownMetadata } = metadata;
  return { ...body, metadata: { ...ownMetadata, name } };
}

function described(resource: Resource, name: string): string {
  const version = resource.group === "" ? `/${resource.version}` : resource.groupVersion;
  return `(/${name}; ${version}, Kind=${resource.kind})`;
}

function reencode(resource: Resource, name: string, value: JsonRecord): JsonRecord {
  try {
    return { ...decode(resource.type, value).value, kind: resource.kind, apiVersion: resource.groupVersion };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const version = resource.group === "" ? `/${resource.version}` : resource.groupVersion;
    const source = error.message.startsWith("illegal base64") ? "error decoding from json: " : "";
    throw internal(
      `failed to convert new object ${described(resource, name)} to proper version: unable to convert unstructured ` +
        `object to ${version}, Kind=${resource.kind}: ${source}${error.message}`,
    );
  }
}
