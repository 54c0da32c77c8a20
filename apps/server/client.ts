import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What a Kubernetes label can hold, because that is where it ends. */
const requestIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{6,61}[A-Za-z0-9]$/;

/**
 * The one that a proxy or a client made up, if it looks like one: it goes as it is into answers, logs, jobs and labels of
 * the cluster. Else one of our own.
 */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && requestIdPattern.test(given) ? given : randomUUID();
}

/**
 * The network address that spoke to the outermost proxy that we trust. Each proxy appends whom it heard from, so the
 * entry is counted from the right: what stands further left was written by the client itself.
 */
export function addressOf(request: IncomingMessage, trustedProxies: number): string | null {
  const direct = request.socket.remoteAddress ?? null;
  if (trustedProxies === 0) return direct;
  const forwarded = [request.headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
  const entry = forwarded.at(-trustedProxies)?.trim();
  return entry === undefined || entry === "" || entry.length > 64 ? direct : entry;
}

/** Path of the request, without a query; null when the URL is none. */
export function pathOf(request: IncomingMessage): string | null {
  try {
    return new URL(request.url ?? "/", "http://server").pathname;
  } catch {
    return null;
  }
}

const maxUserAgentCharacters = 300;

/** What the client calls itself; the audit keeps it. */
export function userAgentOf(request: IncomingMessage): string | null {
  return request.headers["user-agent"]?.slice(0, maxUserAgentCharacters) ?? null;
}
