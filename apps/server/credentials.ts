import type { IncomingMessage } from "node:http";
import { fromPublicId } from "@sewa/core";

/** What a client showed to say who it is. */
export interface Credentials {
  readonly kind: "token" | "ticket";
  readonly secret: string;
  /** A cookie is sent by browsers on their own, so it alone proves no intention. */
  readonly from: "cookie" | "header" | "parameters";
}

/** The header goes before what a socket's first message says, and both before the cookie. */
export function readCredentials(
  request: IncomingMessage,
  cookieName: string,
  parameters: Readonly<Record<string, string | undefined>> | null,
): Credentials | null {
  const bearer = /^Bearer +(\S{1,500})$/i.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return { kind: "token", secret: bearer, from: "header" };
  for (const kind of ["token", "ticket"] as const) {
    const secret = parameters?.[kind];
    if (secret !== undefined) return { kind, secret, from: "parameters" };
  }
  const cookie = readCookie(request, cookieName);
  return cookie === null ? null : { kind: "token", secret: cookie, from: "cookie" };
}

export const organizationHeader = "sewa-organization";
/** Nobody's: what is no id is looked for and not found, like an id of nobody. */
const nobodysId = "00000000-0000-0000-0000-000000000000";

/** For whom a client wants to act, as a uuid; null when it names no organization. What a socket's first message says goes first. */
export function readOrganization(
  request: IncomingMessage,
  parameters: Readonly<Record<string, string | undefined>> | null,
): string | null {
  const named = parameters?.["organization"] ?? [request.headers[organizationHeader] ?? []].flat()[0];
  return named === undefined ? null : (fromPublicId("organization", named) ?? nobodysId);
}

/** The `__Host-` prefix makes browsers refuse it from other hosts and without TLS; over plain HTTP it cannot be set. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? "__Host-session" : "session";
}

export function sessionCookie(isSecure: boolean, value: string, expiresAt: Date): string {
  const secure = isSecure ? "; Secure" : "";
  return `${sessionCookieName(isSecure)}=${value}; Path=/; Expires=${expiresAt.toUTCString()}; HttpOnly; SameSite=Lax${secure}`;
}

export function readCookie(request: IncomingMessage, name: string): string | null {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [key = "", value = ""] = pair.trim().split("=", 2);
    if (key === name && value !== "") return value;
  }
  return null;
}
