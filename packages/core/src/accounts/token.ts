import { randomBytes } from "node:crypto";
import { dayMs, hourMs, minuteMs } from "../clock.ts";
import { sha256Hex } from "../ids.ts";

/** What a token is for stands in front of it, so that a scanner for leaked secrets and a reader of a report know it. */
const prefixes = {
  session: "sewa_s_",
  verify_email: "sewa_v_",
  reset_password: "sewa_r_",
  admin_invite: "sewa_a_",
  socket_ticket: "sewa_t_",
  invitation: "sewa_i_",
  sign_in_step: "sewa_c_",
  sign_in_attempt: "sewa_u_",
  sign_in_browser: "sewa_b_",
} as const;

export type TokenKind = keyof typeof prefixes;
export type OneTimeKind = Exclude<TokenKind, "session" | "invitation" | "sign_in_attempt" | "sign_in_browser">;

export const oneTimeLifeMs = {
  verify_email: dayMs,
  reset_password: hourMs,
  admin_invite: dayMs,
  socket_ticket: minuteMs,
  sign_in_step: 10 * minuteMs,
} as const satisfies Record<OneTimeKind, number>;

/** 256 random bits. Given to its owner once; only its hash is kept. */
export function newToken(kind: TokenKind): string {
  return prefixes[kind] + randomBytes(32).toString("base64url");
}

/** What is stored of a token. Null for a text that `newToken` would not have made for this kind. */
export function hashToken(kind: TokenKind, token: string): string | null {
  const prefix = prefixes[kind];
  if (token.length !== prefix.length + 43 || !token.startsWith(prefix)) return null;
  return /^[\w-]+$/.test(token) ? sha256Hex(token) : null;
}
