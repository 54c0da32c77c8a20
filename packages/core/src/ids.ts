import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "./clock.ts";

/** Makes UUIDs of version 7: sortable by the time of their making. */
export interface Ids {
  next(): string;
}

export function uuidV7Ids(clock: Clock): Ids {
  return {
    next() {
      const bytes = randomBytes(16);
      bytes.writeUIntBE(clock.now().getTime(), 0, 6);
      bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
      bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
      return hexToUuid(bytes.toString("hex"));
    },
  };
}

const prefixes = {
  organization: "org",
  user: "usr",
  session: "ses",
  identity: "idn",
  invitation: "ivt",
  token: "tok",
  order: "ord",
  subscription: "sub",
  instance: "ins",
  operation: "op",
  change: "chg",
  invoice: "inv",
  payment: "pay",
  intent: "pin",
  method: "pm",
  transaction: "txn",
  refund: "ref",
  adjustment: "adj",
  coupon: "cpn",
  redemption: "crd",
  offering: "off",
  plan: "pln",
  event: "evt",
  audit: "aud",
  entry: "ent",
  finding: "fnd",
  taxRate: "tax",
} as const;
export type IdKind = keyof typeof prefixes;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** `ins_` and 26 characters of Crockford's base 32: what customers, logs and URLs see. Columns and jobs hold the UUID. */
export function toPublicId(kind: IdKind, uuid: string): string {
  let value = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let index = 0; index < 26; index += 1) {
    text = (alphabet[Number(value & 31n)] ?? "") + text;
    value >>= 5n;
  }
  return `${prefixes[kind]}_${text}`;
}

/** Null for anything that `toPublicId` would not have written for this kind. */
export function fromPublicId(kind: IdKind, text: string): string | null {
  const prefix = `${prefixes[kind]}_`;
  if (!text.startsWith(prefix) || text.length !== prefix.length + 26) return null;
  let value = 0n;
  for (const character of text.slice(prefix.length)) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return null;
    value = (value << 5n) | BigInt(digit);
  }
  if (value >> 128n !== 0n) return null;
  return hexToUuid(value.toString(16).padStart(32, "0"));
}

/** `length` characters out of `characters`, without bias. */
export function randomText(length: number, characters: string): string {
  const limit = 256 - (256 % characters.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && text.length < length) text += characters[byte % characters.length];
    }
  }
  return text;
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hexToUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
