import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { appRouter, describeError } from "@sewa/api";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import { answerPreflight, type RefusalReason, refusals, refuse, sendJson, setCorsHeaders } from "./answers.ts";
import { createCallerSource } from "./callers.ts";
import { addressOf, pathOf, requestIdOf, userAgentOf } from "./client.ts";
import { type Connection, createConnectionContext } from "./connection.ts";
import { readCookie, readCredentials, readOrganization, sessionCookie, sessionCookieName } from "./credentials.ts";
import { isReady } from "./health.ts";
import type { House } from "./house.ts";
import { createSlots } from "./limits.ts";
import { currentRequest } from "./log.ts";
import { answerSignIn, signInRoute } from "./sign-in/sign-in-routes.ts";
import { takeNotice, webhookProvider } from "./webhooks.ts";

export const contractPath = "/trpc";
const keepAliveMs = 65_000;
const headerBytes = 16 * 1_024;

/** Answers HTTP; upgrades are for the caller to take. */
export function createHttpServer(house: House): Server {
  const takeStream = createSlots(house.limits.streamsPerSession);
  const server = createServer(
    {
      headersTimeout: house.limits.headersMs,
      requestTimeout: house.limits.requestMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: headerBytes,
      connectionsCheckingInterval: house.limits.headersMs / 2,
    },
    (request, response) => {
      const requestId = requestIdOf(request);
      response.setHeader("x-request-id", requestId);
      response.setHeader("x-content-type-options", "nosniff");
      if (house.stage !== "serving") response.setHeader("connection", "close");
      currentRequest.run({ requestId }, () => answer(house, request, response, requestId, takeStream));
    },
  );
  return server;
}

type TakeStream = ReturnType<typeof createSlots>;

function answer(
  house: House,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  takeStream: TakeStream,
): void {
  const path = pathOf(request);
  const refuseWith = (reason: RefusalReason): void => {
    house.metrics.refusals.inc({ reason });
    refuse(response, refusals[reason], requestId);
  };
  if (path === null) return refuseWith("badUrl");
  if (path === contractPath || path.startsWith(`${contractPath}/`)) {
    setCorsHeaders(request, response, house.origins);
    const reason = refusalOf(house, request);
    if (reason !== null) return refuseWith(reason);
    if (request.method === "OPTIONS") return answerPreflight(response);
    return call(house, request, response, path.slice(contractPath.length + 1), requestId, takeStream);
  }
  const provider = request.method === "POST" ? webhookProvider(house, path) : null;
  if (provider !== null) return void takeNotice(house, provider, request, response, refuseWith);
  const signIn = request.method === "GET" ? signInRoute(house, path) : null;
  if (signIn !== null) return void answerSignIn(house, signIn, request, response, requestId, refuseWith);
  if (request.method !== "GET" && request.method !== "HEAD") return refuseWith("notFound");
  switch (path) {
    case "/":
      return sendJson(response, 200, { name: "sewa", contract: contractPath });
    case "/healthz":
      return sendJson(response, 200, { status: "ok" });
    case "/readyz":
      return void isReady(house).then((ready) =>
        sendJson(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready" }),
      );
    default:
      return refuseWith("notFound");
  }
}

/** Why a request is not even looked at; null when it is. From the cheapest to find out to the dearest. */
function refusalOf(house: House, request: IncomingMessage): RefusalReason | null {
  const { method, headers } = request;
  if (headers.origin !== undefined && !house.origins.has(headers.origin)) return "origin";
  if (method === "OPTIONS") return headers.origin === undefined ? "method" : null;
  if (method !== "GET" && method !== "POST") return "method";
  if (method === "GET") return null;
  // Browsers send the cookie on their own, so a page of another origin could make them act. Bearer tokens need a page of ours.
  const hasCookie = readCookie(request, sessionCookieName(house.isSecure)) !== null;
  if (hasCookie && headers.origin === undefined && headers.authorization === undefined) return "origin";
  if (!/^application\/json *(;|$)/i.test(headers["content-type"] ?? "")) return "mediaType";
  return Number(headers["content-length"] ?? 0) > house.limits.bodyBytes ? "tooLarge" : null;
}

function call(
  house: House,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  requestId: string,
  takeStream: TakeStream,
): void {
  response.setHeader("cache-control", "no-store");
  // Answered before all of the body has come: the rest, which may never end, is not read.
  response.once("finish", () => {
    if (!request.complete) request.destroy();
  });
  void nodeHTTPRequestHandler({
    req: request,
    res: response,
    path,
    router: appRouter,
    maxBodySize: house.limits.bodyBytes,
    maxBatchSize: house.limits.batchCalls,
    createContext: () =>
      createConnectionContext(house, createHttpConnection(house, request, response, requestId, takeStream)),
    responseMeta: ({ errors }) => {
      const refusals = errors.map((error) => describeError(error));
      if (refusals.some(({ appCode }) => appCode === "UNAUTHORIZED")) forgetCookie(house, request, response);
      const seconds = Math.max(0, ...refusals.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0));
      return seconds === 0 ? {} : { headers: new Headers({ "retry-after": String(seconds) }) };
    },
    onError: ({ error, path: procedure, type }) => logFailure(house, error, { procedure, type }),
  });
}

/** A cookie that opens nothing would be sent with every call until it ends. One that this answer sets stays. */
function forgetCookie({ isSecure }: House, request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.hasHeader("set-cookie")) return;
  if (readCredentials(request, sessionCookieName(isSecure), null)?.from !== "cookie") return;
  response.setHeader("set-cookie", sessionCookie(isSecure, "", new Date(0)));
}

/** Defects are for people to look at; refusals are what the contract is for. */
export function logFailure(
  house: House,
  error: Error,
  where: { readonly requestId?: string; readonly procedure: string | undefined; readonly type: string },
): void {
  const { code } = describeError(error);
  if (isProtocolBreach(error.cause)) {
    house.log.debug({ ...where, err: error.cause }, "socket broke the protocol");
  } else if (code === "INTERNAL_SERVER_ERROR" || code === "SERVICE_UNAVAILABLE") {
    house.log.error({ ...where, code, err: error.cause ?? error }, "call failed");
  } else {
    house.log.debug({ ...where, code }, "call refused");
  }
}

/** Frames that are none are a client's doing; `ws` has closed that socket already. */
function isProtocolBreach(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && String(cause.code).startsWith("WS_ERR_");
}

function createHttpConnection(
  house: House,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  takeStream: TakeStream,
): Connection {
  const { isSecure } = house;
  const credentials = readCredentials(request, sessionCookieName(isSecure), null);
  const address = addressOf(request, house.trustedProxies);
  const setCookie = (value: string, expiresAt: Date): void => {
    if (!response.headersSent) response.setHeader("set-cookie", sessionCookie(isSecure, value, expiresAt));
  };
  return {
    requestId,
    address,
    userAgent: userAgentOf(request),
    credentials,
    callers: createCallerSource(house.core, credentials, {
      maxAgeMs: house.limits.callerMaxAgeMs,
      organizationId: readOrganization(request, null),
      address,
      onFresh: (expiresAt) => {
        if (credentials?.from === "cookie") setCookie(credentials.secret, expiresAt);
      },
    }),
    cookies: { set: setCookie, clear: () => setCookie("", new Date(0)) },
    takeStream: (caller) => takeStream(caller?.sessionId ?? "nobody"),
    // Over HTTP each chunk is written only after the one before has gone.
    flushed: () => Promise.resolve(),
  };
}
