import { deepEqual, isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kube/object.ts";
import { conflict, modified } from "../kube/status.ts";
import { admit } from "../admission/admission.ts";
import { prepareForUpdate, semanticallyEqual } from "../resources/prepare.ts";
import type { Resource } from "../resources/registry.ts";
import { validate } from "../resources/validate.ts";
import { ownersAfterUpdate } from "../fields/managed-fields.ts";
import { checkName, checkNamespace, decodeBody } from "./body.ts";
import { orderMembers, type Objects, type WriteOptions } from "./context.ts";
import { finishDraft, getObject } from "./create.ts";

/** PUT of an object or of its status. */
export function updateObject(
  objects: Objects,
  resource: Resource,
  namespace: string,
  name: string,
  body: unknown,
  options: WriteOptions,
): KubeObject {
  const draft = decodeBody(resource, body, options);
  checkNamespace(draft, namespace);
  checkName(draft, name);
  const live = getObject(objects, resource, namespace, name);
  checkUid(resource, draft, live);
  return replace(objects, resource, live, draft, options);
}

function checkUid(resource: Resource, draft: JsonRecord, live: KubeObject): void {
  const uid = stringOf(recordOf(draft["metadata"])["uid"]);
  if (uid === "" || uid === live.metadata.uid) return;
  const { name, namespace } = live.metadata;
  const key = `/registry/${resource.plural}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
  const why =
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ` +
    `UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`;
  throw conflict(resource, name, why);
}

export function checkVersion(resource: Resource, draft: JsonRecord, live: KubeObject): void {
  const given = stringOf(recordOf(draft["metadata"])["resourceVersion"]);
  if (given !== "" && given !== live.metadata.resourceVersion) throw modified(resource, live.metadata.name);
}

/** Stores the next state of an existing object, given as a decoded draft: the half that PUT and patches share. */
export function replace(
  objects: Objects,
  resource: Resource,
  live: KubeObject,
  draft: JsonRecord,
  options: WriteOptions,
): KubeObject {
  checkVersion(resource, draft, live);
  const isStatus = options.subresource === "status";
  if (!isStatus) finishDraft(resource, draft);
  const next = isStatus ? withStatus(resource, live, draft) : draft;
  const given = recordOf(draft["metadata"])["managedFields"];
  next["metadata"] = keepServerMetadata(recordOf(next["metadata"]), live);
  if (!isStatus) prepareForUpdate(resource, next, live);
  const entries = nextOwners(resource, live, next, given, options);
  return commit(objects, resource, live, next, () => entries, options);
}

/** A write of the status leaves everything else, but for labels and the like, which it may bring along. */
function withStatus(resource: Resource, live: KubeObject, draft: JsonRecord): JsonRecord {
  const next: JsonRecord = { ...live, metadata: { ...live.metadata } };
  if (resource.hasStatus) next["status"] = draft["status"] ?? {};
  return next;
}

/** Members of metadata that only the server writes keep their stored values. */
export function keepServerMetadata(given: JsonRecord, live: KubeObject): JsonRecord {
  const { labels, annotations, ownerReferences, finalizers } = given;
  const stored = live.metadata;
  const uid = stringOf(given["uid"]);
  const filled = (value: unknown): boolean => value !== undefined && value !== null;
  return {
    name: stored.name,
    ...(stored.generateName === undefined ? {} : { generateName: stored.generateName }),
    ...(stored.namespace === undefined ? {} : { namespace: stored.namespace }),
    uid: uid === "" ? stored.uid : uid,
    resourceVersion: stored.resourceVersion,
    ...(stored.generation === undefined ? {} : { generation: stored.generation }),
    creationTimestamp: stored.creationTimestamp,
    ...(stored.deletionTimestamp === undefined ? {} : { deletionTimestamp: stored.deletionTimestamp }),
    ...(stored.deletionGracePeriodSeconds === undefined
      ? {}
      : { deletionGracePeriodSeconds: stored.deletionGracePeriodSeconds }),
    ...(filled(labels) ? { labels } : {}),
    ...(filled(annotations) ? { annotations } : {}),
    ...(filled(ownerReferences) ? { ownerReferences } : {}),
    ...(filled(finalizers) ? { finalizers } : {}),
  };
}

function nextOwners(
  resource: Resource,
  live: KubeObject,
  next: JsonRecord,
  given: unknown,
  options: WriteOptions,
): ManagedFieldsEntry[] {
  const list = listOf(given);
  const isCleared = list.length === 1 && isRecord(list[0]) && Object.keys(list[0]).length === 0;
  if (isCleared) return [];
  const { manager, subresource } = options;
  const writer = { manager, operation: "Update", apiVersion: resource.groupVersion, subresource } as const;
  const ownership = {
    type: resource.type,
    onlyBranch: subresource === "status" ? "status" : null,
    hasStatus: resource.hasStatus,
  } as const;
  return ownersAfterUpdate(ownership, live, next, live.metadata.managedFields, writer);
}

/**
 * Compares with the stored state and stores if something changed: generation, last finalizer, no event for no change.
 * `entries` gives the owners of the fields for the state that is about to be stored.
 */
export function commit(
  objects: Objects,
  resource: Resource,
  live: KubeObject,
  next: JsonRecord,
  entries: () => ManagedFieldsEntry[],
  options: WriteOptions,
): KubeObject {
  const metadata = recordOf(next["metadata"]);
  if (resource.hasGeneration && options.subresource !== "status" && isNewGeneration(resource, live, next)) {
    metadata["generation"] = (live.metadata.generation ?? 0) + 1;
  }
  validate(resource, next, live);
  const managedFields = entries();
  if (managedFields.length > 0) metadata["managedFields"] = managedFields;
  const object = orderMembers(resource, next);
  admit(objects, resource, object, live, options);
  if (isSame(object, live)) return live;
  if (options.isDryRun) return object;
  if (isFinished(object)) {
    objects.store.remove(resource.key, object);
    return object;
  }
  return objects.store.put(resource.key, object);
}

function isNewGeneration(resource: Resource, live: KubeObject, next: JsonRecord): boolean {
  const type = resource.type.fields.get("spec");
  if (type !== undefined && !semanticallyEqual(type, live["spec"], next["spec"])) return true;
  if (resource.key !== "deployments.apps") return false;
  return !deepEqual(live.metadata.annotations ?? {}, recordOf(recordOf(next["metadata"])["annotations"]));
}

/** An object that is being deleted goes with its last finalizer. Pods wait for their node besides. */
function isFinished(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers ?? []).length > 0) return false;
  if (object.kind === "Namespace") return listOf(recordOf(object["spec"])["finalizers"]).length === 0;
  return (deletionGracePeriodSeconds ?? 0) === 0;
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return deepEqual(withoutTimes(a), withoutTimes(b));
}

function withoutTimes(object: KubeObject): KubeObject {
  const entries = object.metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...object, metadata: { ...object.metadata, managedFields: entries } } as KubeObject;
}
