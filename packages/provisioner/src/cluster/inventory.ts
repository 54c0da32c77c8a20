import { noRequests, objectKey, type Requests, type WorldObject } from "@sewa/core";
import { ClusterDenied, ClusterUnreachable } from "../errors.ts";
import { parseBytes, parseMillis } from "../observe/quantity.ts";
import { houseOf, isOurs } from "../observe/owner.ts";
import type { LiveCondition, LiveList, LiveObject } from "../observe/wire.ts";
import { isClaimJobName } from "../render/claim.ts";
import { instanceIdOfNamespace, labelKeys, manager } from "../render/names.ts";
import { manifestKinds } from "../render/types.ts";
import type { Connection } from "./connection.ts";
import { liveHash } from "./live-hash.ts";
import { collectionPath, objectPath, type Kind } from "./resources.ts";

/** Everything that one house may have to do with, as the server has it, asked anew: no watch's memory is in it. */
export interface ClusterInventory {
  readonly objects: readonly WorldObject[];
  /** Kinds that could not be read. */
  readonly unread: readonly string[];
  /** `liveHash` of our objects, by path. */
  readonly hashes: ReadonlyMap<string, string>;
}

const pageSize = "500";
/** More pages than any cluster of ours has; a server that never ends a list does not end the audit. */
const maxPages = 1_000;
/** What a real server sends of an object when asked for this: no content of others comes over the wire. */
const metadataOnly = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

/** Secrets are not among them: they are written and never read. Pods are, because one that nobody controls is an object of its own. */
const auditedKinds: readonly Kind[] = [...manifestKinds.filter((kind) => kind !== "Secret"), "Pod"];

interface InventoriedObject extends LiveObject {
  readonly metadata: LiveObject["metadata"] & {
    readonly uid?: string;
    readonly ownerReferences?: readonly { readonly controller?: boolean }[];
    readonly finalizers?: readonly string[];
  };
  readonly status?: { readonly conditions?: readonly LiveCondition[] };
}

export async function readInventory(
  connection: Connection,
  houseId: string,
  signal: AbortSignal | undefined,
): Promise<ClusterInventory> {
  const objects: WorldObject[] = [];
  const hashes = new Map<string, string>();
  const unread: string[] = [];
  const take = (kind: Kind, live: InventoriedObject): void => {
    const object = toWorldObject(kind, live, houseId);
    if (object === null) return;
    objects.push(object);
    if (object.isOurs) hashes.set(objectPath(kind, object.name, object.namespace ?? undefined), liveHash(live));
  };
  await Promise.all(
    auditedKinds.map(async (kind) => {
      try {
        for (const isManaged of [true, false])
          await eachItem(connection, kind, isManaged, signal, (live) => take(kind, live));
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ClusterUnreachable || error instanceof ClusterDenied)) throw error;
        unread.push(kind);
      }
    }),
  );
  return { objects, unread, hashes };
}

/** All pages of one kind over the whole cluster: those that carry the label of a house whole, of all others the metadata. */
async function eachItem(
  connection: Connection,
  kind: Kind,
  isManaged: boolean,
  signal: AbortSignal | undefined,
  take: (live: InventoriedObject) => void,
): Promise<void> {
  let next = "";
  for (let page = 0; page < maxPages; page += 1) {
    const answer: LiveList<InventoriedObject> = await connection.json({
      method: "GET",
      path: collectionPath(kind),
      query: {
        labelSelector: `${labelKeys.managedBy}${isManaged ? "=" : "!="}${manager}`,
        limit: pageSize,
        ...(next === "" ? {} : { continue: next }),
      },
      ...(isManaged ? {} : { accept: metadataOnly }),
      what: `list ${kind}`,
      isQuestion: true,
      signal,
    });
    for (const item of answer.items) take(item);
    next = answer.metadata.continue ?? "";
    if (next === "") return;
  }
  throw new ClusterUnreachable(`list ${kind}: the list does not end.`);
}

/** Null for what is none of our business: others' objects elsewhere, what controllers made, what every namespace has. */
function toWorldObject(kind: Kind, live: InventoriedObject, houseId: string): WorldObject | null {
  const { metadata } = live;
  const namespaceName = kind === "Namespace" ? metadata.name : (metadata.namespace ?? "");
  const homeId = instanceIdOfNamespace(namespaceName);
  const isOwn = isOurs(live, houseId);
  if (!isOwn && homeId === null) return null;
  if (metadata.ownerReferences?.some(({ controller }) => controller === true) === true) return null;
  const ref = { kind, namespace: kind === "Namespace" ? null : namespaceName, name: metadata.name };
  // The proof that the owner account was claimed; it stays, whatever claim would be rendered today.
  if (kind === "Job" && isClaimJobName(metadata.name) && hasEnded(live.status?.conditions ?? [])) return null;
  if (kubernetesOwn.has(objectKey({ ...ref, namespace: null }))) return null;
  const label = (key: string): string | null => metadata.labels?.[key] ?? null;
  return {
    ...ref,
    uid: metadata.uid ?? "",
    isOurs: isOwn,
    house: houseOf(live, houseId),
    organizationId: label(labelKeys.organization),
    subscriptionId: label(labelKeys.subscription),
    instanceId: label(labelKeys.instance),
    homeId,
    deletingSince: metadata.deletionTimestamp ?? null,
    blockedBy: kind === "Namespace" ? blockedBy(live) : null,
    requests: isOwn ? requestsOf(kind, live) : noRequests,
  };
}

/** Kubernetes puts these into every namespace, and back when they are deleted. */
const kubernetesOwn = new Set(["ConfigMap//kube-root-ca.crt", "ServiceAccount//default"]);

const blocking = new Set([
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionGroupVersionParsingFailure",
  "NamespaceDeletionContentFailure",
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
]);

/** What the server says keeps a namespace from going; null when it says nothing. */
function blockedBy({ metadata, status }: InventoriedObject): string | null {
  if (metadata.deletionTimestamp === undefined) return null;
  const said = (status?.conditions ?? [])
    .filter((condition) => blocking.has(condition.type) && condition.status === "True")
    .map(({ type, message }) => message ?? type);
  const finalizers = metadata.finalizers ?? [];
  const all = [...said, ...(finalizers.length === 0 ? [] : [`finalizers ${finalizers.join(", ")}`])];
  return all.length === 0 ? null : all.join(" ");
}

interface Sized {
  readonly spec?: {
    readonly replicas?: number;
    readonly parallelism?: number;
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
    readonly containers?: readonly Container[];
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  };
  readonly status?: { readonly conditions?: readonly LiveCondition[] };
}

interface Container {
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

/** What the object takes by itself; a Job that has ended takes nothing. */
function requestsOf(kind: Kind, live: LiveObject & Sized): Requests {
  const { spec, status } = live;
  if (kind === "PersistentVolumeClaim") {
    return { ...noRequests, storageBytes: parsed(parseBytes, spec?.resources?.requests?.["storage"]) };
  }
  const pods = podsOf(kind, spec, status?.conditions ?? []);
  const containers = (kind === "Pod" ? spec?.containers : spec?.template?.spec?.containers) ?? [];
  const sum = (key: string, parse: (quantity: string) => number): number =>
    containers.reduce((total, { resources }) => total + parsed(parse, resources?.requests?.[key]), 0) * pods;
  return { cpuMillis: sum("cpu", parseMillis), memoryBytes: sum("memory", parseBytes), storageBytes: 0 };
}

function podsOf(kind: Kind, spec: Sized["spec"], conditions: readonly LiveCondition[]): number {
  if (kind === "Pod") return 1;
  if (kind === "Deployment" || kind === "StatefulSet") return spec?.replicas ?? 1;
  if (kind !== "Job") return 0;
  return hasEnded(conditions) ? 0 : (spec?.parallelism ?? 1);
}

/** Of a Job. */
function hasEnded(conditions: readonly LiveCondition[]): boolean {
  return conditions.some(({ type, status }) => status === "True" && (type === "Complete" || type === "Failed"));
}

/** A quantity that cannot be read counts nothing: it is somebody's report, not a decision. */
function parsed(parse: (quantity: string) => number, quantity: string | undefined): number {
  try {
    return quantity === undefined ? 0 : parse(quantity);
  } catch {
    return 0;
  }
}
