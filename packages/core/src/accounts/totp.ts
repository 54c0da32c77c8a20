import { Secret, TOTP } from "otpauth";
import { secondMs } from "../clock.ts";
import { randomText, sha256Hex } from "../ids.ts";

const intervalSeconds = 30;
const secretBytes = 20;
/** Clocks of telephones are wrong by a little: the code before and the one after the present one are good as well. */
const driftIntervals = 1;
const recoveryCodeCount = 10;
const recoveryGroups = 4;
const groupCharacters = 4;
const recoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** Base32, as apps take it that are not shown a picture. */
export function newTotpSecret(): string {
  return new Secret({ size: secretBytes }).base32;
}

/** What an authenticator app reads out of a picture. */
export function toOtpauthUri(secret: string, email: string): string {
  return totpOf(secret, email).toString();
}

/** The interval that a code of six digits is of, RFC 6238; null when it is of none that counts now. */
export function counterOf(secret: string, code: string, now: Date): number | null {
  const timestamp = now.getTime();
  const drift = totpOf(secret, "").validate({ token: code, timestamp, window: driftIntervals });
  return drift === null ? null : Math.floor(timestamp / secondMs / intervalSeconds) + drift;
}

/** As an app shows it, with or without the gap in its middle; null for what is none. */
export function readTotpCode(text: string): string | null {
  const digits = text.replaceAll(/\s/g, "");
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** 80 random bits each, in groups that a person can copy. */
export function newRecoveryCodes(): readonly string[] {
  const group = (): string => randomText(groupCharacters, recoveryAlphabet);
  return Array.from({ length: recoveryCodeCount }, () => Array.from({ length: recoveryGroups }, group).join("-"));
}

/** What is stored of a recovery code, however it was typed. */
export function hashRecoveryCode(code: string): string {
  return sha256Hex(code.toLowerCase().replaceAll(/[\s-]/g, ""));
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({ issuer: "Sewa", label, secret: Secret.fromBase32(secret), period: intervalSeconds });
}
