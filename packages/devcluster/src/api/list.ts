import { setTimeout as delay } from "node:timers/promises";
import { isRecord, numberOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { ApiError, badRequest } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import { selectionOf } from "../objects/list.ts";
import type { Answer } from "./http.ts";
import type { ListParameters } from "./query.ts";
import type { Route } from "./route.ts";

/** How long a list waits for a version that has not come yet, before it answers 504. */
const futureVersionWaitMs = 3_000;

/** One page of a list. Pages of one list show the state of its first page. */
export async function listObjects(
  objects: Objects,
  route: Route,
  parameters: ListParameters & { readonly badVersion: string | null },
): Promise<Answer> {
  const { store } = objects;
  const { badVersion, resourceVersion, continueToken } = parameters;
  if (badVersion !== null) {
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: "${badVersion}": strconv.ParseUint: parsing "${badVersion}": invalid syntax`,
    );
  }
  const selection = selectionOf(route.resource, parameters.labelSelector, parameters.fieldSelector);
  if (continueToken !== null) {
    if (resourceVersion !== null && resourceVersion !== 0) {
      throw badRequest("specifying resource version is not allowed when using continue");
    }
    return continuedPage(objects, route, parameters, parseToken(continueToken), selection);
  }
  if (resourceVersion !== null && resourceVersion > store.version) {
    await delay(futureVersionWaitMs);
    if (resourceVersion > store.version) throw tooLargeVersion(resourceVersion, store.version);
  }
  const isExact = parameters.match === "Exact" && resourceVersion !== null;
  const version = isExact ? resourceVersion : store.version;
  const all = isExact ? stateAt(objects, route, version) : current(objects, route);
  return page(objects, route, parameters, { all, version, start: "" }, selection);
}

function current(objects: Objects, route: Route): readonly KubeObject[] {
  return objects.store.list(route.resource.key, route.namespace === "" ? undefined : route.namespace);
}

/** Goes back from now over the known changes; 410 when they do not reach that far. */
function stateAt(objects: Objects, route: Route, version: number): readonly KubeObject[] {
  const changes = objects.store.since(version);
  if (changes === null) {
    throw new ApiError(410, "Expired", "The resourceVersion for the provided list is too old.");
  }
  const state = new Map(current(objects, route).map((object) => [keyOf(object), object]));
  for (const change of changes.toReversed()) {
    const isInScope = route.namespace === "" || change.object.metadata.namespace === route.namespace;
    if (change.resource !== route.resource.key || !isInScope) continue;
    if (change.previous === null) state.delete(keyOf(change.object));
    else state.set(keyOf(change.previous), change.previous);
  }
  return [...state.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? `/${name}` : `/${namespace}/${name}`;
}

interface Token {
  /** -1: the newest state, for who accepts an inconsistent list. */
  readonly version: number;
  readonly start: string;
}

function makeToken(token: Token): string {
  const value = { v: "meta.k8s.io/v1", rv: token.version, start: `${token.start}\0` };
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function parseToken(text: string): Token {
  const decoded = Buffer.from(text, "base64url").toString("utf8");
  try {
    const value: unknown = JSON.parse(decoded);
    if (isRecord(value)) {
      const start = stringOf(value["start"]).replace(/\0$/, "");
      return { version: numberOf(value["rv"], 0), start: start.startsWith("/") ? start : `/${start}` };
    }
  } catch {
    // Answered below, like every other text that is no token.
  }
  const shown = decoded.charAt(0);
  throw badRequest(
    `invalid continue token: continue key is not valid: invalid character '${shown}' looking for beginning of value`,
  );
}

interface Snapshot {
  readonly all: readonly KubeObject[];
  readonly version: number;
  readonly start: string;
}

type Selected = ReturnType<typeof selectionOf>;

function continuedPage(
  objects: Objects,
  route: Route,
  parameters: ListParameters,
  token: Token,
  selection: Selected,
): Answer {
  const { store } = objects;
  const key = snapshotKey(route, token.version);
  const isNewest = token.version === -1;
  const all = isNewest ? current(objects, route) : store.snapshot(key);
  if (all === undefined) {
    const message =
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
      "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
      "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
      "deleted between the time the first chunk was returned and now may show up in the list.";
    const fresh = makeToken({ version: -1, start: token.start });
    throw new ApiError(410, "Expired", message, { metadata: { continue: fresh } });
  }
  const version = isNewest ? store.version : token.version;
  return page(objects, route, parameters, { all, version, start: token.start }, selection);
}

function snapshotKey(route: Route, version: number): string {
  return `${route.resource.key} ${route.namespace} ${version}`;
}

/** Keys in tokens are relative to what is listed: `/name` in a namespace, `/namespace/name` in the cluster. */
function relativeKey(route: Route, object: KubeObject): string {
  return route.namespace === "" ? keyOf(object) : `/${object.metadata.name}`;
}

function page(objects: Objects, route: Route, parameters: ListParameters, from: Snapshot, selection: Selected): Answer {
  const rest = from.start === "" ? from.all : from.all.filter((object) => relativeKey(route, object) > from.start);
  const selected = selection.isEverything ? rest : rest.filter(selection.matches);
  const limit = parameters.limit === 0 ? selected.length : parameters.limit;
  const items = selected.slice(0, limit);
  const last = items.at(-1);
  const remaining = selected.length - items.length;
  const metadata: JsonRecord = { resourceVersion: String(from.version) };
  if (remaining > 0 && last !== undefined) {
    objects.store.keepSnapshot(snapshotKey(route, from.version), from.all);
    metadata["continue"] = makeToken({ version: from.version, start: relativeKey(route, last) });
    if (selection.isEverything) metadata["remainingItemCount"] = remaining;
  }
  return {
    status: 200,
    body: {
      kind: `${route.resource.kind}List`,
      apiVersion: route.resource.groupVersion,
      metadata,
      items: items.map(asItem),
    },
  };
}

/** Items of a list carry neither kind nor apiVersion. */
export function asItem({ kind: _kind, apiVersion: _apiVersion, ...rest }: KubeObject): JsonRecord {
  return rest;
}

export function tooLargeVersion(wanted: number, version: number): ApiError {
  const message = `Timeout: Too large resource version: ${wanted}, current: ${version}`;
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new ApiError(504, "Timeout", message, { details: { causes, retryAfterSeconds: 1 } });
}
