import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiError } from "../kube/status.ts";
import type { MetricsApi } from "../metrics/api.ts";
import type { Objects } from "../objects/context.ts";
import { Discovery, healthAnswer } from "./discovery.ts";
import { handleObjects } from "./handler.ts";
import { errorAnswer, pageNotFound, send, type Answer } from "./http.ts";
import type { PodLogs } from "./pod-logs.ts";
import { parseRoute, type Route } from "./route.ts";
import type { Watches } from "./watch.ts";

export interface ApiServer {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

export type Log = (line: string, fields: Record<string, unknown>) => void;

/** Serves the API on loopback. Everything but health and the version needs the bearer token of the kubeconfig. */
export async function startApiServer(
  objects: Objects,
  watches: Watches,
  logs: PodLogs,
  metrics: MetricsApi,
  port: number,
  log: Log,
  token = randomBytes(24).toString("base64url"),
): Promise<ApiServer> {
  const discovery = new Discovery(objects.registry);
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      // The answer had begun already (a watch), so the broken connection is all that can be said.
      log("request failed", { path: request.url, error: String(error) });
      response.destroy();
    });
  });
  // Watches are idle for long; the server ends them itself.
  server.requestTimeout = 0;
  await listen(server, port);
  const { port: actual } = server.address() as AddressInfo;
  const address = `127.0.0.1:${actual}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer | null;
    try {
      answer = await answerTo(request, response);
    } catch (error) {
      if (response.headersSent) throw error;
      answer = errorAnswer(error);
      if (answer.status === 500 && !(error instanceof ApiError)) {
        log("request failed", {
          method: request.method,
          path: request.url,
          error: String(error),
          stack: (error as Error).stack,
        });
      }
    }
    if (answer === null) return;
    // Whatever of the body was not read is thrown away, so that the connection can be used again.
    request.resume();
    send(response, answer);
  }

  async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<Answer | null> {
    const url = new URL(request.url ?? "/", "http://devcluster");
    const path = url.pathname;
    if (request.method === "GET") {
      const open =
        path === "/version" ? discovery.answer(path, "", address) : healthAnswer(path, url.searchParams.has("verbose"));
      if (open !== null) return open;
    }
    const isKnown = authenticate(request, token);
    if (!isKnown) throw anonymousError(objects, request, url);
    const route = parseRoute(objects.registry, path);
    if (route !== null) {
      checkAccept(request, route.name === null);
      return handleObjects(objects, watches, logs, { request, response, query: url.searchParams, route });
    }
    const measured = metrics.answer(request.method, path, url.searchParams);
    if (measured !== null) return measured;
    const found = discovery.answer(path, request.headers.accept ?? "", address);
    if (found === null) return pageNotFound();
    if (request.method !== "GET") {
      throw new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {
        details: {},
      });
    }
    return metrics.addGroup(path, found);
  }

  return {
    url: `http://${address}`,
    token,
    async close(): Promise<void> {
      watches.endAll();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

export async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** True for the right token, false for none at all; a wrong one is a 401. */
function authenticate(request: IncomingMessage, token: string): boolean {
  const given = request.headers.authorization;
  if (given === undefined) return false;
  const expected = Buffer.from(`Bearer ${token}`);
  const actual = Buffer.from(given);
  if (actual.length === expected.length && timingSafeEqual(actual, expected)) return true;
  throw new ApiError(401, "Unauthorized", "Unauthorized");
}

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Requests without credentials are anonymous, and an anonymous user may do nothing: 403, as on a real server. */
function anonymousError(objects: Objects, request: IncomingMessage, url: URL): ApiError {
  const user = 'User "system:anonymous"';
  const path = url.pathname;
  let route: Route | null = null;
  try {
    route = parseRoute(objects.registry, path);
  } catch {
    // Unknown kinds are forbidden as well: who may not read does not learn what exists.
  }
  if (route === null) {
    return new ApiError(
      403,
      "Forbidden",
      `forbidden: ${user} cannot ${verbs[request.method ?? ""] ?? "get"} path "${path}"`,
      { details: {} },
    );
  }
  const { resource, name, namespace } = route;
  const qualified = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
  const isWatch = url.searchParams.has("watch");
  const read = name === null ? (isWatch ? "watch" : "list") : "get";
  const verb = request.method === "GET" ? read : (verbs[request.method ?? ""] ?? "get");
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const subject = name === null ? qualified : `${qualified} "${name}"`;
  const message = `${subject} is forbidden: ${user} cannot ${verb} resource "${resource.plural}" in API group "${resource.group}" ${where}`;
  const details = {
    ...(name === null ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
  };
  return new ApiError(403, "Forbidden", message, { details });
}

/** JSON is all that is spoken here. Accept headers that leave no room for it are refused as on a real server. */
function checkAccept(request: IncomingMessage, isCollection: boolean): void {
  const accept = request.headers.accept;
  if (accept === undefined || accept === "") return;
  const isFine = accept.split(",").some((part) => /^\s*(\*\/\*|application\/(json|\*)|text\/plain)/.test(part));
  if (isFine) return;
  const forWatch = ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
  const formats = `application/json, application/yaml, application/vnd.kubernetes.protobuf${isCollection ? forWatch : ""}`;
  const message = `406: Not Acceptable\n\nAvailable representations: ${formats}`;
  throw new ApiError(406, "NotAcceptable", message, { details: {} });
}
