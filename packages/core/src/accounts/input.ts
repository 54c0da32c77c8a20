import { domainToASCII } from "node:url";
import { DomainError, type FieldIssue } from "../errors.ts";
import { isCommonPassword } from "./common-passwords.ts";

const maxEmailCharacters = 254;
const maxLocalCharacters = 64;
const maxNameCharacters = 100;
const minPasswordCharacters = 8;
export const maxPasswordCharacters = 128;

const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const domainCharacters = /^[\p{L}\p{M}\p{N}.-]+$/u;
const domainName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * The one form of an address that is stored and compared: trimmed, NFC, lower case, the domain in ASCII. Throws
 * INVALID_INPUT for what no mail server would take, which also keeps line breaks out of mail headers.
 */
export function normalizeEmail(input: string): string {
  if (input.length <= maxEmailCharacters * 2) {
    const email = input.trim().normalize("NFC").toLowerCase().normalize("NFC");
    const at = email.lastIndexOf("@");
    const local = email.slice(0, Math.max(at, 0));
    const domain = toAsciiDomain(email.slice(at + 1));
    const normalized = `${local}@${domain}`;
    const fits = local.length <= maxLocalCharacters && normalized.length <= maxEmailCharacters;
    if (fits && localPart.test(local) && domainName.test(domain)) return normalized;
  }
  throw invalid("email", "Enter a valid e-mail address.");
}

/** NFC, so that the same word typed on two keyboards is the same password. Throws INVALID_INPUT. */
export function checkPassword(password: string, email: string, path = "password"): string {
  // Counted in code units first: whoever sends a megabyte must not make us walk through it.
  const characters = password.length > 2 * maxPasswordCharacters ? Infinity : Array.from(password).length;
  if (characters < minPasswordCharacters || characters > maxPasswordCharacters) {
    throw invalid(path, `Use ${minPasswordCharacters} to ${maxPasswordCharacters} characters.`);
  }
  if (password.toLowerCase() === email) throw invalid(path, "Choose another password than your e-mail address.");
  if (isCommonPassword(password)) throw invalid(path, "Choose another password. Many people have this one.");
  return password.normalize("NFC");
}

/** A name of a person or an organization: trimmed, 1 to 100 characters, on one line. Throws INVALID_INPUT. */
export function checkName(name: string, path: string): string {
  const trimmed = name.trim().normalize("NFC");
  if (trimmed === "" || trimmed.length > maxNameCharacters || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(trimmed)) {
    throw invalid(path, `Use 1 to ${maxNameCharacters} characters on one line.`);
  }
  return trimmed;
}

/** The part of an address behind the @, as `normalizeEmail` leaves it. Throws INVALID_INPUT. */
export function normalizeDomain(input: string, path: string): string {
  const domain = toAsciiDomain(input.trim().normalize("NFC").toLowerCase());
  if (input.length > maxEmailCharacters || !domainName.test(domain))
    throw invalid(path, "Enter a domain of e-mail addresses.");
  return domain;
}

function toAsciiDomain(domain: string): string {
  // The conversion reads a host of a URL and would silently drop a path.
  return domainCharacters.test(domain) ? domainToASCII(domain) : "";
}

function invalid(path: string, message: string): DomainError {
  const issues: readonly FieldIssue[] = [{ path, message }];
  return new DomainError("INVALID_INPUT", message, { issues });
}
