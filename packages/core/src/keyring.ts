import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
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
  seal(plaintext: string, context: string): Sealed;
  open(sealed: Sealed, context: string): string;
  /** A signature for short-lived tickets between our own processes. */
  sign(text: string): string;
}

const ivBytes = 12;
const tagBytes = 16;

/** `keys`: newest first; the first one seals. Each is 32 bytes. */
export function createKeyring(keys: readonly { readonly id: string; readonly key: Buffer }[]): Keyring {
  const [newest] = keys;
  assert(newest !== undefined, "a keyring holds at least one key");
  for (const { id, key } of keys) assert(key.length === 32, `key ${id} has 32 bytes`);
  return {
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
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes))
        .setAAD(Buffer.from(`${keyId}|${context}`))
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString("utf8");
    },
    sign(text) {
      return createHmac("sha256", newest.key).update(text).digest("base64url");
    },
  };
}

/** Reads `kid:base64(32 bytes)[,kid:base64…]`, newest first. Throws with the reason, never with key material. */
export function parseKeyring(text: string): Keyring {
  const keys = text.split(",").map((entry, index) => {
    const [id, encoded, ...rest] = entry.trim().split(":");
    const key = Buffer.from(encoded ?? "", "base64");
    if (!id || rest.length > 0 || key.length !== 32) {
      throw new Error(`Entry ${index + 1} is not of the form id:base64 of 32 bytes.`);
    }
    return { id, key };
  });
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) throw new Error("Two keys have the same id.");
  return createKeyring(keys);
}
