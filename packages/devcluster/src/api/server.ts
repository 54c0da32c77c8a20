import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { AnswerSwitches } from "../answers.ts";
import { ApiError, type StatusBody } from "../kube/status.ts";
import type { MetricsApi } from "../metrics/api.ts";
import type { Objects } from "../objects/context.ts";
import { readAsked } from "./asked.ts";
import { Discovery, healthAnswer } from "./discovery.ts";
import { handleObjects } from "./handler.ts";
import { errorAnswer, pageNotFound, send, type Answer } from "./http.ts";
import type { PodLogs } from "./pod-logs.ts";
import { accessDenied, refusalOf } from "./refusals.ts";
import { parseRoute } from "./route.ts";
import { beginWatch, type Watches } from "./watch.ts";

export interface ApiServer {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

export type Log = (line: string, fields: Record<string, unknown>) => void;

/** What the API is made of. */
interface ApiParts {
  readonly objects: Objects;
  readonly watches: Watches;
  readonly logs: PodLogs;
  readonly metrics: MetricsApi;
  readonly switches: AnswerSwitches;
  /** 0 for one that is free. */
  readonly port: number;
  readonly log: Log;
  /** Made at random when left out. */
  readonly token?: string | undefined;
}

/** Serves the API on loopback. Everything but health and the version needs the bearer token of the kubeconfig. */
export async function startApiServer(parts: ApiParts): Promise<ApiServer> {
  const { objects, watches, logs, metrics, switches, port, log, token = randomBytes(24).toString("base64url") } = parts;
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

  /** Answers as the switches say, where one of them is about this request. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = readAsked(objects.registry, request);
    const how = switches.next(asked);
    const isWatch = asked.verb === "watch";
    if (how === null) await serveWell(request, response);
    else if (how === "cut" || (how === "lost" && isWatch)) request.socket.resetAndDestroy();
    else if (how === "lost") {
      // Nobody knows whether it was refused or done: both are lost.
      await answerTo(request, response).catch(() => undefined);
      request.socket.resetAndDestroy();
    } else if (how === "silent") {
      watches.hold(response);
      request.resume();
      if (isWatch) beginWatch(response);
    } else if (how !== "quota" && "delayMs" in how) {
      await sleep(how.delayMs, undefined, { ref: false });
      await serveWell(request, response);
    } else if (isWatch && how !== "quota" && how.status === 410) {
      beginWatch(response).error(refusalOf(how, asked).body as StatusBody);
      response.end();
    } else {
      request.resume();
      send(response, refusalOf(how, asked));
    }
  }

  async function serveWell(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    // Unknown kinds are forbidden as well: who may not read does not learn what exists.
    if (!authenticate(request, token)) throw accessDenied(readAsked(objects.registry, request), "system:anonymous");
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

/**
 * True for the right token; a wrong one is a 401. False for none at all: that is an anonymous user, who may do nothing.
 */
function authenticate(request: IncomingMessage, token: string): boolean {
  const given = request.headers.authorization;
  if (given === undefined) return false;
  const expected = Buffer.from(`Bearer ${token}`);
  const actual = Buffer.from(given);
  if (actual.length === expected.length && timingSafeEqual(actual, expected)) return true;
  throw new ApiError(401, "Unauthorized", "Unauthorized");
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
