import { randomUUID } from "node:crypto";
import { recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { generatedName } from "../kube/names.ts";
import { timestamp, type KubeObject, type ManagedFieldsEntry } from "../kube/object.ts";
import { alreadyExists, internal, notFound } from "../kube/status.ts";
import { admit, mutateForCreate, refuseWithoutNamespace } from "../admission/admission.ts";
import { applyDefaults, encodeStringData } from "../resources/defaults.ts";
import { prepareForCreate } from "../resources/prepare.ts";
import type { Resource } from "../resources/registry.ts";
import { validate } from "../resources/validate.ts";
import { ownersAfterUpdate } from "../fields/managed-fields.ts";
import { checkNamespace, decodeBody } from "./body.ts";
import { blankObject, orderMembers, type Objects, type WriteOptions } from "./context.ts";

/** POST: the stored object, or with dryRun what would have been stored (without a resourceVersion). */
export function createObject(
  objects: Objects,
  resource: Resource,
  namespace: string,
  body: unknown,
  options: WriteOptions,
): KubeObject {
  const draft = decodeBody(resource, body, options);
  const metadata = recordOf(draft["metadata"]);
  checkNamespace(draft, namespace);
  if (stringOf(metadata["resourceVersion"]) !== "") {
    throw internal("resourceVersion should not be set on objects to be created");
  }
  finishDraft(resource, draft);
  const writer = {
    manager: options.manager,
    operation: "Update",
    apiVersion: resource.groupVersion,
    subresource: "",
  } as const;
  const ownership = { type: resource.type, onlyBranch: null, hasStatus: resource.hasStatus };
  const entries = ownersAfterUpdate(ownership, blankObject(resource), draft, undefined, writer);
  return insert(objects, resource, namespace, draft, entries, options);
}

export function finishDraft(resource: Resource, draft: JsonRecord): void {
  if (resource.key === "secrets") encodeStringData(draft);
  applyDefaults(resource, draft);
}

/** The second half of every creation, by POST or by apply: admission, validation, storage. */
export function insert(
  objects: Objects,
  resource: Resource,
  namespace: string,
  draft: JsonRecord,
  managedFields: ManagedFieldsEntry[],
  options: WriteOptions,
): KubeObject {
  const given = recordOf(draft["metadata"]);
  const prefix = stringOf(given["generateName"]);
  const name = stringOf(given["name"]) || (prefix === "" ? "" : generatedName(prefix));
  const uid = randomUUID();
  refuseWithoutNamespace(objects, resource, namespace, name);
  draft["metadata"] = newMetadata({ ...given, name }, resource, namespace, uid, managedFields);
  mutateForCreate(objects, resource, draft, options);
  prepareForCreate(resource, draft, uid);
  validate(resource, draft, null);
  const object = orderMembers(resource, draft);
  const existing = objects.store.get(resource.key, namespace, name);
  const place = (): KubeObject => (options.isDryRun ? object : objects.store.put(resource.key, object));
  if (existing !== undefined) {
    throw alreadyExists(resource, name, existing.metadata.deletionTimestamp !== undefined);
  }
  admit(objects, resource, object, null, options);
  return place();
}

function newMetadata(
  given: JsonRecord,
  resource: Resource,
  namespace: string,
  uid: string,
  managedFields: ManagedFieldsEntry[],
): JsonRecord {
  const { labels, annotations, ownerReferences, finalizers, generateName } = given;
  return {
    ...(given["name"] === "" ? {} : { name: given["name"] }),
    ...(generateName === undefined ? {} : { generateName }),
    ...(resource.isNamespaced ? { namespace } : {}),
    uid,
    ...(resource.hasGeneration ? { generation: 1 } : {}),
    creationTimestamp: timestamp(),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(managedFields.length === 0 ? {} : { managedFields }),
  };
}

/** The stored object, or a 404. */
export function getObject(objects: Objects, resource: Resource, namespace: string, name: string): KubeObject {
  const object = objects.store.get(resource.key, namespace, name);
  if (object === undefined) throw notFound(resource, name);
  return object;
}
