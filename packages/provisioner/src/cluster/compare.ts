import { type ChangedObject, type Comparison, objectKey, type ObjectRef } from "@sewa/core";
import { InvalidObject, NotFound, QuotaRefused } from "../errors.ts";
import type { LiveObject } from "../observe/wire.ts";
import { contentHash } from "../render/hash.ts";
import { renderManifests } from "../render/index.ts";
import { labelKeys, manager } from "../render/names.ts";
import type { InstanceSpec, KubeManifest } from "../render/types.ts";
import type { ApplyContext } from "./apply.ts";
import { diffPaths } from "./diff-paths.ts";
import type { ClusterInventory } from "./inventory.ts";
import { liveHash } from "./live-hash.ts";
import { manifestPath } from "./resources.ts";

/** More differences in one object than a person reads. */
const maxFields = 8;

type UniqueObject = LiveObject & { readonly metadata: { readonly uid?: string } };

/**
 * What an instance should have, against what an inventory found: exact, by asking the server what an apply would change.
 * An object whose hash is the one that such a question, or an apply, gave before costs no request. Changes nothing.
 */
export async function compareInstance(
  context: ApplyContext,
  spec: InstanceSpec,
  inventory: ClusterInventory,
): Promise<Comparison> {
  const manifests = renderManifests(spec, context.settings);
  const [namespace, ...contents] = manifests;
  const wanted = new Set(manifests.map((manifest) => objectKey(refOf(manifest))));
  if (namespace === undefined) return { wanted, missing: [], changed: [] };
  const top = await compareObject(context, namespace, inventory);
  // Without its namespace everything is missing, which is one thing to know.
  if (top.verdict === "missing") return { wanted, missing: [top.object], changed: [] };
  const all = [top, ...(await Promise.all(contents.map((manifest) => compareObject(context, manifest, inventory))))];
  return {
    wanted,
    missing: all.flatMap(({ verdict, object }) => (verdict === "missing" ? [object] : [])),
    changed: all.flatMap(({ verdict, object }) => (verdict === "changed" ? [object] : [])),
  };
}

interface Compared {
  readonly verdict: "same" | "missing" | "changed";
  readonly object: ChangedObject;
}

async function compareObject(
  context: ApplyContext,
  manifest: KubeManifest,
  inventory: ClusterInventory,
): Promise<Compared> {
  if (manifest.kind === "Secret") return compareSecret(context, manifest);
  const path = manifestPath(manifest);
  const known = context.applied.get(path);
  const hash = inventory.hashes.get(path);
  const isKnown = hash !== undefined && known?.live === hash && known.desired === contentHash(manifest);
  if (isKnown) return { verdict: "same", object: { ...refOf(manifest), fields: [] } };
  const live = await find(context, path);
  if (live === null) return { verdict: "missing", object: { ...refOf(manifest), fields: [] } };
  const object = { ...refOf(manifest), uid: live.metadata.uid ?? null };
  const applied = await tryApply(context, manifest);
  if (applied === null) return { verdict: "changed", object: { ...object, fields: [] } };
  if (liveHash(applied) !== liveHash(live)) {
    const fields = differences(live, applied);
    return { verdict: fields.length === 0 ? "same" : "changed", object: { ...object, fields } };
  }
  // What an apply would leave is known now, as after an apply.
  const remembered = { appliedAt: performance.now(), uid: live.metadata.uid ?? "" };
  context.applied.set(path, { desired: contentHash(manifest), live: liveHash(live), ...remembered });
  return { verdict: "same", object: { ...object, fields: [] } };
}

async function find({ connection, signal }: ApplyContext, path: string): Promise<UniqueObject | null> {
  try {
    return await connection.json<UniqueObject>({ method: "GET", path, what: "get", isQuestion: true, signal });
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}

/** The object as an apply would leave it; null when the server would refuse, so that it is certainly not as wanted. */
async function tryApply({ connection, signal }: ApplyContext, manifest: KubeManifest): Promise<LiveObject | null> {
  try {
    return await connection.json<LiveObject>({
      method: "PATCH",
      path: manifestPath(manifest),
      query: { fieldManager: manager, force: "true", dryRun: "All" },
      body: manifest,
      contentType: "application/apply-patch+yaml",
      what: `compare ${manifest.kind} ${manifest.metadata.name}`,
      isQuestion: true,
      signal,
    });
  } catch (error) {
    if (error instanceof InvalidObject || error instanceof QuotaRefused) return null;
    throw error;
  }
}

/**
 * A Secret is written and never read: the server is asked whether each of our fields has our value, as a patch that tests
 * and does nothing else. 404: there is none. 422: a test has failed.
 */
async function compareSecret({ connection, signal }: ApplyContext, manifest: KubeManifest): Promise<Compared> {
  const object = { ...refOf(manifest), fields: [] };
  const test = (...parts: readonly string[]): ((value: unknown) => unknown) => {
    const path = `/${parts.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`;
    return (value) => ({ op: "test", path, value });
  };
  const tests = [
    test("type")(manifest["type"]),
    ...Object.entries(manifest.metadata.labels).map(([key, value]) => test("metadata", "labels", key)(value)),
    ...Object.entries(manifest["data"] as Readonly<Record<string, string>>).map(([key, value]) =>
      test("data", key)(value),
    ),
  ];
  try {
    await connection.json({
      method: "PATCH",
      path: manifestPath(manifest),
      query: { fieldManager: manager, dryRun: "All" },
      body: tests,
      contentType: "application/json-patch+json",
      what: `compare Secret ${manifest.metadata.name}`,
      isSecret: true,
      isQuestion: true,
      signal,
    });
    return { verdict: "same", object };
  } catch (error) {
    if (error instanceof NotFound) return { verdict: "missing", object };
    if (error instanceof InvalidObject) return { verdict: "changed", object };
    throw error;
  }
}

function refOf({ kind, metadata }: KubeManifest): ObjectRef {
  return { kind, namespace: metadata.namespace ?? null, name: metadata.name, uid: null };
}

/** Paths of what an apply would change, without values, as far as a person wants to know. */
function differences(live: LiveObject, wanted: LiveObject): readonly string[] {
  const content = ({ metadata, ...rest }: LiveObject & { readonly status?: unknown }): unknown => {
    const { status: _status, ...kept } = rest;
    // The request of a later operation, which the next apply writes anew, means nothing to the app.
    const { [labelKeys.requestId]: _request, ...labels } = metadata.labels ?? {};
    return { ...kept, metadata: { labels, annotations: metadata.annotations ?? {} } };
  };
  return diffPaths(content(live), content(wanted)).slice(0, maxFields);
}
