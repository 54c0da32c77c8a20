import { unknownResource } from "../kube/status.ts";
import type { Registry, Resource } from "../resources/registry.ts";

/** Where a path of the API leads. */
export interface Route {
  readonly resource: Resource;
  readonly namespace: string;
  /** Null for a collection. */
  readonly name: string | null;
  readonly subresource: string;
  /** The old form of watches, `/api/v1/watch/…`. */
  readonly isWatchPath: boolean;
}

/** Null when the path is not one of objects (discovery, health, unknown groups); 404 for unknown kinds of known groups. */
export function parseRoute(registry: Registry, path: string): Route | null {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const [root = ""] = parts;
  const isCore = root === "api";
  if (!isCore && root !== "apis") return null;
  const [group = "", version = ""] = isCore ? ["", parts[1]] : [parts[1], parts[2]];
  let rest = parts.slice(isCore ? 2 : 3);
  if (rest.length === 0 || rest[0] === "") return null;
  const isKnownGroup = registry.all.some((resource) => resource.group === group);
  if (!isKnownGroup) return null;
  const isWatchPath = rest[0] === "watch";
  if (isWatchPath) rest = rest.slice(1);
  let namespace = "";
  // `namespaces/x/pods` is about pods; `namespaces/x`, `…/status` and `…/finalize` are about the namespace itself.
  const isAboutNamespace = rest.length <= 2 || ["status", "finalize"].includes(rest[2] ?? "");
  if (rest[0] === "namespaces" && !isAboutNamespace) {
    namespace = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const [plural = "", name, ...more] = rest;
  const resource = registry.find(group, version, plural);
  const subresource = more.join("/");
  if (resource === undefined) throw unknownResource();
  if (subresource !== "" && !resource.subresources.has(subresource)) throw unknownResource();
  if (name !== undefined && resource.isNamespaced && namespace === "") throw unknownResource();
  return { resource, namespace, name: name === undefined || name === "" ? null : name, subresource, isWatchPath };
}
