import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { assert } from "./errors.ts";

export interface Sealed {
  readonly keyId: string;
  readonly sealed: string;
}

/**
 * AES-256-GCM with a key id, so that keys can be changed while old ones still open what they closed. `context` (the
 * organization and the thing) is authenticated: a row that was copied to another organization does not open.
 */
export interface Keyring {
  /** Newest first: the first one seals and signs. */
  readonly ids: readonly string[];
  seal(plaintext: string, context: string): Sealed;
  /** Throws for a key that is not here, for bytes that were changed and for another context. */
  open(sealed: Sealed, context: string): string;
  /** A signature by the newest key. */
  sign(text: string): string;
  /** The id of the key that signed the text so; null when none of these did. */
  findSigner(text: string, signature: string): string | null;
}

export interface Key {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

/** `keys`: newest first; the first one seals. */
export function createKeyring(keys: readonly Key[]): Keyring {
  const [newest] = keys;
  assert(newest !== undefined, "a keyring holds at least one key");
  for (const { id, key } of keys) assert(key.length === keyBytes, `key ${id} has ${keyBytes} bytes`);
  const signature = (key: Buffer, text: string): string =>
    createHmac("sha256", signingKeyOf(key)).update(text).digest("base64url");
  return {
    ids: keys.map(({ id }) => id),
    seal(plaintext, context) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", newest.key, iv).setAAD(Buffer.from(`${newest.id}|${context}`));
      const body = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
      return { keyId: newest.id, sealed: Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64") };
    },
    open({ keyId, sealed }, context) {
      const key = keys.find(({ id }) => id === keyId)?.key;
      if (key === undefined) throw new Error(`The key ${keyId} is not in the keyring.`);
      const bytes = Buffer.from(sealed, "base64");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
        .setAAD(Buffer.from(`${keyId}|${context}`))
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString("utf8");
    },
    sign: (text) => signature(newest.key, text),
    findSigner(text, given) {
      const bytes = Buffer.from(given);
      const signs = (key: Buffer): boolean => {
        const expected = Buffer.from(signature(key, text));
        return expected.length === bytes.length && timingSafeEqual(expected, bytes);
      };
      return keys.find(({ key }) => signs(key))?.id ?? null;
    },
  };
}

/** One key for one use: what seals does not sign. */
function signingKeyOf(key: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), "sewa signatures", keyBytes));
}

/** Reads `kid:base64(32 bytes)[,kid:base64…]`, newest first. Throws with the reason, never with key material. */
export function parseKeyring(text: string): Keyring {
  const keys = text.split(",").map((entry, index) => {
    const [id, encoded, ...rest] = entry.trim().split(":");
    const key = Buffer.from(encoded ?? "", "base64");
    if (!id || rest.length > 0 || key.length !== keyBytes) {
      throw new Error(`Entry ${index + 1} is not of the form id:base64 of 32 bytes.`);
    }
    return { id, key };
  });
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) throw new Error("Two keys have the same id.");
  return createKeyring(keys);
}
