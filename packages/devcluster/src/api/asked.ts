import type { IncomingMessage } from "node:http";
import type { RequestVerb } from "../answers.ts";
import type { Registry } from "../resources/registry.ts";
import { booleanParameter } from "./query.ts";
import { parseRoute, type Route } from "./route.ts";

/** What a request wants, in the words of access rules. */
export interface Asked {
  readonly verb: RequestVerb;
  readonly path: string;
  /** Null when it is not about objects that are served. */
  readonly route: Route | null;
  readonly plural: string | null;
}

export function readAsked(registry: Registry, request: IncomingMessage): Asked {
  const url = new URL(request.url ?? "/", "http://devcluster");
  let route: Route | null = null;
  try {
    route = parseRoute(registry, url.pathname);
  } catch {
    // A kind that is not served, or a path that cannot be decoded.
  }
  const isWatch = route?.isWatchPath === true || booleanParameter(url.searchParams, "watch");
  const verb = verbOf(request.method ?? "GET", route, isWatch);
  return { verb, path: url.pathname, route, plural: route?.resource.plural ?? null };
}

function verbOf(method: string, route: Route | null, isWatch: boolean): RequestVerb {
  const isCollection = route !== null && route.name === null;
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return isCollection ? "deletecollection" : "delete";
    default:
      return isWatch ? "watch" : isCollection ? "list" : "get";
  }
}
