import type { PlannedObject, Preview } from "@sewa/core";
import { InvalidObject, NotFound, QuotaRefused } from "../errors.ts";
import { parseBytes } from "../observe/quantity.ts";
import { isOwnNamespace, toNamespaceFact } from "../observe/facts.ts";
import type { LiveList, LiveNamespace, LiveObject } from "../observe/wire.ts";
import { contentHash } from "../render/hash.ts";
import { renderManifests } from "../render/index.ts";
import { annotationKeys, labelKeys, manager, namespaceName } from "../render/names.ts";
import { type InstanceSpec, type KubeManifest, type ManifestKind, manifestKinds } from "../render/types.ts";
import type { ApplyContext } from "./apply.ts";
import { diffPaths } from "./diff-paths.ts";
import { isPruned } from "./prune.ts";
import { collectionPath, manifestPath, objectPath } from "./resources.ts";

type PreviewContext = Pick<ApplyContext, "connection" | "settings" | "signal">;

/** Everything of an instance that can be read: Secrets cannot. */
const readKinds = manifestKinds.filter((kind) => kind !== "Secret" && kind !== "Namespace");
const workloadKinds: ReadonlySet<string> = new Set(["Deployment", "StatefulSet"]);
/** Bookkeeping of ours that changes with every generation and request, and means nothing to the app. */
const bookkeeping: readonly string[] = [annotationKeys.generation, labelKeys.requestId];
/** One page; an instance has a handful of objects of a kind. */
const pageSize = "500";

interface Live {
  readonly kind: ManifestKind;
  readonly path: string;
  readonly object: LiveObject;
}

/**
 * What applying `planned` would do to the world as it is now, without doing it: the server is asked with a dry run what it
 * would make of each object, so that what it fills in shows as no change and what it refuses is known beforehand.
 */
export async function previewInstance(
  context: PreviewContext,
  specs: { readonly now: InstanceSpec; readonly planned: InstanceSpec },
): Promise<Preview> {
  const live = await readWorld(context, specs.now);
  if (live === null) return refuseForeign(specs.now);
  const wanted = renderManifests(specs.planned, context.settings);
  const isRemoved = specs.planned.phase === "absent";
  const looks = await Promise.all(
    wanted.map((manifest) =>
      manifest.kind === "Secret"
        ? lookAtSecret(context, specs.now, manifest)
        : lookAt(context, manifest, live.find(({ path }) => path === manifestPath(manifest))?.object ?? null),
    ),
  );
  const wantedPaths = new Set(wanted.map(manifestPath));
  const left = live.filter(({ path }) => !wantedPaths.has(path));
  const gone = left.filter(({ kind }) => isRemoved || isPruned(kind));
  const claims = left.filter(({ kind }) => kind === "PersistentVolumeClaim");
  const hasSecret = isRemoved && live.length > 0 && specs.now.phase !== "absent";
  return {
    worldHash: contentHash(live.map(({ path, object }) => [path, contentOf(object)])),
    objects: [
      ...looks.flatMap(({ object }) => (object === null ? [] : [object])),
      ...gone.map(({ kind, object }) => deleted(kind, object.metadata.name)),
      ...(hasSecret ? renderManifests(specs.now, context.settings).filter(isSecret).map(toDeleted) : []),
    ],
    volumes: claims.map(({ object }) => ({
      name: object.metadata.name,
      sizeBytes: claimBytes(object),
      fate: isRemoved ? "deleted" : "unmounted",
    })),
    refusals: [
      ...looks.flatMap(({ refusal }) => (refusal === null ? [] : [refusal])),
      ...(claims.length === 0 || isRemoved ? [] : refuseNewClaims(looks)),
    ],
  };
}

/**
 * A volume that is no longer used is kept, and counts against a quota that has room for those of the new shape only. So an
 * app cannot get another volume in its place: it would begin empty, and nobody would have said so.
 */
function refuseNewClaims(looks: readonly Look[]): Preview["refusals"] {
  return looks.flatMap(({ object }) =>
    object?.kind === "PersistentVolumeClaim" && object.action === "created" && object.name !== null
      ? [{ kind: object.kind, name: object.name, reason: "OBJECT_REFUSED" as const }]
      : [],
  );
}

/** Everything of ours that is there, always in the same order. Null when the namespace is somebody else's. */
async function readWorld({ connection, signal }: PreviewContext, spec: InstanceSpec): Promise<readonly Live[] | null> {
  const name = namespaceName(spec.instanceId);
  const path = objectPath("Namespace", name);
  const namespace = await connection
    .json<LiveNamespace>({ method: "GET", path, what: "get Namespace", signal })
    .catch((error: unknown) => {
      if (error instanceof NotFound) return null;
      throw error;
    });
  if (namespace === null) return [];
  if (!isOwnNamespace(toNamespaceFact(namespace), spec)) return null;
  const query = { labelSelector: `${labelKeys.instance}=${spec.instanceId}`, limit: pageSize };
  const lists = await Promise.all(
    readKinds.map(async (kind) => {
      const request = { method: "GET", path: collectionPath(kind, name), query, what: `list ${kind}`, signal } as const;
      const { items } = await connection.json<LiveList<LiveObject>>(request);
      return items.map((object): Live => ({ kind, path: objectPath(kind, object.metadata.name, name), object }));
    }),
  );
  const objects = [{ kind: "Namespace" as const, path, object: namespace }, ...lists.flat()];
  return objects.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Nothing would be written there, so nothing is looked at either. */
function refuseForeign({ instanceId }: InstanceSpec): Preview {
  const refusal = { kind: "Namespace", name: namespaceName(instanceId), reason: "OBJECT_REFUSED" } as const;
  return { worldHash: contentHash(null), objects: [], volumes: [], refusals: [refusal] };
}

interface Look {
  /** Null: it stays as it is. */
  readonly object: PlannedObject | null;
  readonly refusal: Preview["refusals"][number] | null;
}

async function lookAt(context: PreviewContext, manifest: KubeManifest, live: LiveObject | null): Promise<Look> {
  const { kind, metadata } = manifest;
  try {
    const then = await dryRun(context, manifest);
    if (live === null) return { object: planned(kind, metadata.name, "created", []), refusal: null };
    return { object: compare(kind, live, then), refusal: null };
  } catch (error) {
    // The quota of the plan is written before what it counts, so the one of today says nothing about tomorrow.
    if (error instanceof QuotaRefused) {
      const object =
        live === null ? planned(kind, metadata.name, "created", []) : compare(kind, live, over(live, manifest));
      return { object, refusal: null };
    }
    if (!(error instanceof InvalidObject)) throw error;
    const reason = kind === "PersistentVolumeClaim" && live !== null ? "VOLUME_CANNOT_GROW" : "OBJECT_REFUSED";
    return { object: null, refusal: { kind, name: metadata.name, reason } };
  }
}

/** A Secret may be written and not be read, so what is there is what the server would make of today's. */
async function lookAtSecret(context: PreviewContext, now: InstanceSpec, manifest: KubeManifest): Promise<Look> {
  const today = renderManifests(now, context.settings).find(isSecret);
  if (today === undefined) return { object: planned("Secret", manifest.metadata.name, "created", []), refusal: null };
  const [before, after] = [await dryRun(context, today), await dryRun(context, manifest)];
  // Only what is stored has a version.
  const isThere = before.metadata.resourceVersion !== undefined && before.metadata.resourceVersion !== "";
  const object = isThere ? compare("Secret", before, after) : planned("Secret", manifest.metadata.name, "created", []);
  return { object, refusal: null };
}

function dryRun({ connection, signal }: PreviewContext, manifest: KubeManifest): Promise<LiveObject> {
  const { kind, metadata } = manifest;
  return connection.json<LiveObject>({
    method: "PATCH",
    path: manifestPath(manifest),
    query: { fieldManager: manager, force: "true", dryRun: "All" },
    body: manifest,
    contentType: "application/apply-patch+yaml",
    what: `dry run of ${kind} ${metadata.name}`,
    isSecret: kind === "Secret",
    signal,
  });
}

function compare(kind: ManifestKind, live: LiveObject, then: LiveObject): PlannedObject | null {
  const fields = diffPaths(contentOf(live), contentOf(then));
  return fields.length === 0 ? null : planned(kind, live.metadata.name, "changed", fields);
}

/** What `liveHash` looks at, without our own bookkeeping: the next look may write that anew at any time. */
function contentOf(object: LiveObject): Readonly<Record<string, unknown>> {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const { status: _status, ...content } = rest as Readonly<Record<string, unknown>>;
  const kept = (named: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(named).filter(([key]) => !bookkeeping.includes(key)));
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith("sewa.dev/"));
  return {
    ...content,
    metadata: { labels: kept(metadata.labels), annotations: kept(Object.fromEntries(annotations)) },
  };
}

/** The manifest's own fields over what is there, for an object that the server would not look at today. */
function over(live: LiveObject, manifest: KubeManifest): LiveObject {
  const merge = (base: unknown, top: unknown): unknown =>
    isFields(base) && isFields(top)
      ? Object.fromEntries(
          [...new Set([...Object.keys(base), ...Object.keys(top)])].map((key) => [
            key,
            Object.hasOwn(top, key) ? merge(base[key], top[key]) : base[key],
          ]),
        )
      : top;
  return merge(live, manifest) as LiveObject;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function planned(
  kind: ManifestKind,
  name: string,
  action: PlannedObject["action"],
  fields: readonly string[],
): PlannedObject {
  const isRestarting = workloadKinds.has(kind) && fields.some((field) => field.startsWith("spec.template"));
  return { kind, name: kind === "Namespace" ? null : name, action, fields, isRestarting };
}

function deleted(kind: ManifestKind, name: string): PlannedObject {
  return planned(kind, name, "deleted", []);
}

function toDeleted({ kind, metadata }: KubeManifest): PlannedObject {
  return deleted(kind, metadata.name);
}

function isSecret({ kind }: KubeManifest): boolean {
  return kind === "Secret";
}

/** What the volume has; before it is bound, what was asked for. */
function claimBytes(claim: LiveObject): number {
  const { spec, status } = claim as {
    readonly spec?: { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } };
    readonly status?: { readonly capacity?: Readonly<Record<string, string>> };
  };
  return parseBytes(status?.capacity?.["storage"] ?? spec?.resources?.requests?.["storage"] ?? "0");
}
