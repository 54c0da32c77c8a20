import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert } from "../errors.ts";
import { sha256Hex } from "../ids.ts";

const prefix = "sewa_k_";
const randomCharacters = 43;
const checksumCharacters = 6;
/** How many characters of a token its owner is shown again: they narrow down which one it is, and open nothing. */
const hintCharacters = 12;
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const shape = new RegExp(`^${prefix}[\\w-]{${randomCharacters + checksumCharacters}}$`);

export interface NewApiToken {
  /** Given to its owner once. */
  readonly token: string;
  /** What is stored of it. */
  readonly hash: string;
  readonly hint: string;
}

/** 256 random bits and their checksum. */
export function newApiToken(): NewApiToken {
  const body = prefix + randomBytes(32).toString("base64url");
  const token = body + checksumOf(body);
  const hash = hashApiToken(token);
  assert(hash !== null, "a new token has the shape of its kind");
  return { token, hash, hint: token.slice(0, hintCharacters) };
}

/**
 * Null for a text that `newApiToken` would not have made: a typo, and what a scanner for leaked secrets takes for a token, are known
 * for what they are without asking the database.
 */
export function hashApiToken(token: string): string | null {
  if (!shape.test(token)) return null;
  const body = token.slice(0, -checksumCharacters);
  return checksumOf(body) === token.slice(-checksumCharacters) ? sha256Hex(token) : null;
}

/** Whether a secret wants to be an API token, be it a good one or not. */
export function isApiToken(secret: string): boolean {
  return secret.startsWith(prefix);
}

/** CRC-32 of all that stands before it, in base 62. It is no secret and proves nothing but care. */
function checksumOf(body: string): string {
  let rest = crc32(body);
  let text = "";
  while (text.length < checksumCharacters) {
    text = (digits[rest % digits.length] ?? "") + text;
    rest = Math.floor(rest / digits.length);
  }
  return text;
}
