import type { IncomingMessage, ServerResponse } from "node:http";
import { recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import type { KubeObject } from "../kube/object.ts";
import { ApiError, badRequest, methodNotAllowed } from "../kube/status.ts";
import { applyObject } from "../objects/apply.ts";
import type { Objects, WriteOptions } from "../objects/context.ts";
import { createObject, getObject } from "../objects/create.ts";
import { selectionOf } from "../objects/list.ts";
import { deleteObject, type Deleted } from "../objects/delete.ts";
import { patchObject, patchValue, type PatchKind } from "../objects/patch.ts";
import { storeScale, toScale } from "../objects/scale.ts";
import { updateObject } from "../objects/update.ts";
import type { Resource } from "../resources/registry.ts";
import { finalizeNamespace } from "../controllers/finalize.ts";
import { parseDeleteOptions } from "./delete-options.ts";
import { readBody, type Answer } from "./http.ts";
import { asItem, listObjects } from "./list.ts";
import { podLog } from "./logs.ts";
import type { PodLogs } from "./pod-logs.ts";
import { booleanParameter, checkTimeout, parseListParameters, parseWriteOptions } from "./query.ts";
import type { Route } from "./route.ts";
import type { Watches } from "./watch.ts";

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly route: Route;
}

/** One request about objects. Null when the response was taken over by a watch. */
export async function handleObjects(
  objects: Objects,
  watches: Watches,
  logs: PodLogs,
  call: Call,
): Promise<Answer | null> {
  const { request, route, query } = call;
  checkTimeout(query);
  if (route.subresource !== "" && route.subresource !== "status")
    return handleSubresource(objects, watches, logs, call);
  if (route.name === null || route.isWatchPath) return handleCollection(objects, watches, call);
  const { resource, namespace, name, subresource } = route;
  const agent = request.headers["user-agent"];
  const sub = subresource === "status" ? "status" : "";
  switch (request.method) {
    case "GET":
      return { status: 200, body: getObject(objects, resource, namespace, name) };
    case "PUT": {
      const body = parseJson(await readBody(request), resource, contentType(request));
      const options = parseWriteOptions(query, agent, "UpdateOptions", { subresource: sub });
      return answer(200, updateObject(objects, resource, namespace, name, body, options), options);
    }
    case "PATCH":
      return patch(objects, call, name, sub);
    case "DELETE": {
      if (sub !== "") throw methodNotAllowed();
      const wish = parseDeleteOptions(query, await readBody(request));
      const options = wish.options;
      return deletedAnswer(resource, deleteObject(objects, resource, namespace, name, wish, options), options);
    }
    case undefined:
    default:
      throw methodNotAllowed();
  }
}

async function handleCollection(objects: Objects, watches: Watches, call: Call): Promise<Answer | null> {
  const { request, response, route, query } = call;
  const { resource, namespace } = route;
  switch (request.method) {
    case "GET": {
      const parameters = parseListParameters(query, route.isWatchPath);
      if (!parameters.isWatch) return listObjects(objects, route, parameters);
      watches.serve(objects, route, parameters, response);
      return null;
    }
    case "POST": {
      if (resource.isNamespaced && namespace === "") throw methodNotAllowed();
      const body = parseJson(await readBody(request), resource, contentType(request));
      const options = parseWriteOptions(query, request.headers["user-agent"], "CreateOptions");
      return answer(201, createObject(objects, resource, namespace, body, options), options);
    }
    case "DELETE": {
      if (!resource.verbs.has("deletecollection") || (resource.isNamespaced && namespace === ""))
        throw methodNotAllowed();
      const wish = parseDeleteOptions(query, await readBody(request));
      const selection = selectionOf(resource, query.get("labelSelector"), query.get("fieldSelector"));
      const items = objects.store
        .list(resource.key, namespace === "" ? undefined : namespace)
        .filter(selection.matches);
      for (const { metadata } of items) {
        deleteObject(objects, resource, metadata.namespace ?? "", metadata.name, wish, wish.options);
      }
      const metadata = { resourceVersion: String(objects.store.version) };
      const list = {
        kind: `${resource.kind}List`,
        apiVersion: resource.groupVersion,
        metadata,
        items: items.map(asItem),
      };
      return { status: 200, body: list, warnings: wish.options.warnings };
    }
    case undefined:
    default:
      throw methodNotAllowed();
  }
}

async function patch(objects: Objects, call: Call, name: string, subresource: "" | "status"): Promise<Answer> {
  const { request, route, query } = call;
  const { resource, namespace } = route;
  const agent = request.headers["user-agent"];
  const kind = patchKind(contentType(request));
  const text = await readBody(request);
  if (kind === "apply") {
    const options = parseWriteOptions(query, agent, "PatchOptions", { isApply: true, subresource });
    const isForced = booleanParameter(query, "force");
    const result = applyObject(objects, resource, namespace, name, parseApplied(text), isForced, options);
    return answer(result.isCreated ? 201 : 200, result.object, options);
  }
  const options = parseWriteOptions(query, agent, "PatchOptions", { subresource });
  return answer(200, patchObject(objects, resource, namespace, name, kind, parsePatch(text), options), options);
}

async function handleSubresource(
  objects: Objects,
  watches: Watches,
  logs: PodLogs,
  call: Call,
): Promise<Answer | null> {
  const { request, response, route, query } = call;
  const { resource, namespace, subresource } = route;
  const name = route.name ?? "";
  if (subresource === "log") {
    if (request.method !== "GET") throw methodNotAllowed();
    return podLog({ objects, watches, logs }, getObject(objects, resource, namespace, name), query, response);
  }
  if (subresource === "scale") return handleScale(objects, call, name);
  if (subresource === "finalize" && request.method === "PUT") {
    const body = parseJson(await readBody(request), resource, contentType(request));
    return { status: 200, body: finalizeNamespace(objects, getObject(objects, resource, "", name), recordOf(body)) };
  }
  if (subresource === "eviction" && request.method === "POST") {
    await readBody(request);
    const options = parseWriteOptions(query, request.headers["user-agent"], "CreateOptions");
    deleteObject(objects, resource, namespace, name, {}, options);
    const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
    return { status: 201, body };
  }
  throw methodNotAllowed();
}

async function handleScale(objects: Objects, call: Call, name: string): Promise<Answer> {
  const { request, route, query } = call;
  const { resource, namespace } = route;
  const live = getObject(objects, resource, namespace, name);
  if (request.method === "GET") return { status: 200, body: toScale(live) };
  const agent = request.headers["user-agent"];
  if (request.method === "PUT") {
    const body = parseJson(await readBody(request), resource, contentType(request));
    const options = parseWriteOptions(query, agent, "UpdateOptions");
    return answer(200, storeScale(objects, resource, live, recordOf(body), options), options);
  }
  if (request.method !== "PATCH") throw methodNotAllowed();
  const kind = patchKind(contentType(request));
  const change = parsePatch(await readBody(request));
  const options = parseWriteOptions(query, agent, "PatchOptions", { isApply: kind === "apply" });
  const patched = patchValue(resource.type, toScale(live), kind === "apply" ? "merge" : kind, change);
  return answer(200, storeScale(objects, resource, live, patched, options), options);
}

function answer(status: number, body: KubeObject | JsonRecord, options: WriteOptions): Answer {
  return { status, body, warnings: options.warnings };
}

/** Most kinds answer a deletion with a Status that names what is gone; what still exists is answered itself. */
function deletedAnswer(resource: Resource, deleted: Deleted, options: WriteOptions): Answer {
  if (resource.answersDeleted || !deleted.isGone) return answer(200, deleted.object, options);
  const { name, uid } = deleted.object.metadata;
  const details = { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural, uid };
  return answer(200, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details }, options);
}

function contentType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
}

function patchKind(type: string): PatchKind | "apply" {
  switch (type) {
    case "application/apply-patch+yaml":
      return "apply";
    case "application/merge-patch+json":
      return "merge";
    case "application/json-patch+json":
      return "json";
    case "application/strategic-merge-patch+json":
      return "strategic";
    default:
      throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", { details: {} });
  }
}

/** Bodies are JSON. YAML, which a real server takes as well, is not read here. */
function parseJson(text: string, resource: Resource, type: string): unknown {
  if (type !== "" && type !== "application/json") {
    const accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
    throw new ApiError(415, "UnsupportedMediaType", message);
  }
  try {
    return JSON.parse(text);
  } catch {
    const shown = text === "" ? "<empty>" : text;
    const why = "couldn't get version/kind; json parse error: unexpected end of JSON input";
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): ${why} (${shown})`);
  }
}

function parseApplied(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(
      "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content",
    );
  }
}

function parsePatch(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const character = stringOf(text[0]);
    throw badRequest(`error decoding patch: invalid character '${character}' looking for beginning of value`);
  }
}
