import type { IncomingMessage, ServerResponse } from "node:http";
import { type Refusal, toErrorShape, transformer, transportRefusal } from "@sewa/api";
import { organizationHeader } from "./credentials.ts";

/** Refusals of the transport, in the order in which they are looked for. */
export const refusals = {
  badUrl: transportRefusal("BAD_REQUEST", "BAD_REQUEST", "The address of the request is none."),
  notFound: transportRefusal("NOT_FOUND", "NOT_FOUND", "Nothing is here."),
  method: transportRefusal(
    "METHOD_NOT_SUPPORTED",
    "METHOD_NOT_SUPPORTED",
    "Queries are read with GET, mutations are sent with POST.",
  ),
  origin: transportRefusal("FORBIDDEN", "BAD_ORIGIN", "Origin not allowed."),
  mediaType: transportRefusal("UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
  tooLarge: transportRefusal("PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE", "The request is too large."),
  notice: transportRefusal("BAD_REQUEST", "BAD_REQUEST", "Invalid signature."),
  tooMany: transportRefusal("TOO_MANY_REQUESTS", "RATE_LIMITED", "Too many requests."),
  unavailable: transportRefusal("SERVICE_UNAVAILABLE", "UNAVAILABLE", "Not available at the moment. Try again."),
} as const satisfies Record<string, Refusal>;
export type RefusalReason = keyof typeof refusals;

/** In the envelope that clients of the contract understand, wherever it was refused. */
export function refuse(response: ServerResponse, refusal: Refusal, requestId: string): void {
  const shape = toErrorShape(refusal, { path: null, requestId });
  // Whoever is refused before the body was read may still be sending it.
  response.setHeader("connection", "close");
  sendJson(response, shape.data.httpStatus, { error: transformer.serialize(shape) as unknown });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

export function setCorsHeaders(request: IncomingMessage, response: ServerResponse, origins: ReadonlySet<string>): void {
  const { origin } = request.headers;
  response.setHeader("vary", "origin");
  if (origin === undefined || !origins.has(origin)) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-credentials", "true");
  response.setHeader("access-control-expose-headers", "x-request-id, retry-after");
}

const preflightSeconds = 600;

export function answerPreflight(response: ServerResponse): void {
  response
    .writeHead(204, {
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": `authorization, content-type, last-event-id, ${organizationHeader}, trpc-accept, x-request-id`,
      "access-control-max-age": String(preflightSeconds),
    })
    .end();
}
