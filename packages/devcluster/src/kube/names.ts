import { createHash, randomBytes } from "node:crypto";

/** The checks of names, labels and keys, with the sentences in which a server refuses them. */

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const dns1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const labelValue = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const qualifiedName = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const configKey = "[-._a-zA-Z0-9]+";

const patterns = {
  label: new RegExp(`^${label}$`),
  subdomain: new RegExp(`^${subdomain}$`),
  dns1035: new RegExp(`^${dns1035}$`),
  labelValue: new RegExp(`^${labelValue}$`),
  qualifiedName: new RegExp(`^${qualifiedName}$`),
  configKey: new RegExp(`^${configKey}$`),
};

const alphanumericRule = "must start and end with an alphanumeric character";

/** Each answers the complaint, or null when the text is fine. */
export function checkSubdomain(value: string): string | null {
  if (value.length > 253) return "must be no more than 253 characters";
  if (patterns.subdomain.test(value)) return null;
  return `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${alphanumericRule} (e.g. 'example.com', regex used for validation is '${subdomain}')`;
}

export function checkLabelName(value: string, quotedDash = "or '-', "): string | null {
  if (value.length > 63) return "must be no more than 63 characters";
  if (patterns.label.test(value)) return null;
  return `a lowercase RFC 1123 label must consist of lower case alphanumeric characters ${quotedDash}and ${alphanumericRule} (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
}

export function checkDns1035(value: string): string | null {
  if (value.length > 63) return "must be no more than 63 characters";
  if (patterns.dns1035.test(value)) return null;
  return `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${dns1035}')`;
}

export function checkLabelValue(value: string): string | null {
  if (value.length > 63) return "must be no more than 63 characters";
  if (patterns.labelValue.test(value)) return null;
  return `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and ${alphanumericRule} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`;
}

export function checkQualifiedName(value: string): string | null {
  const parts = value.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2) {
    return `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and ${alphanumericRule} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  }
  const prefixComplaint = parts.length === 2 ? checkSubdomain(parts[0] ?? "") : null;
  if (prefixComplaint !== null) return `prefix part ${prefixComplaint}`;
  if (name.length > 63) return "name part must be no more than 63 characters";
  if (patterns.qualifiedName.test(name)) return null;
  return `name part must consist of alphanumeric characters, '-', '_' or '.', and ${alphanumericRule} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}')`;
}

export function checkConfigKey(value: string): string | null {
  if (value.length > 253) return "must be no more than 253 characters";
  if (patterns.configKey.test(value)) return null;
  return `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${configKey}')`;
}

/** The letters of generated names: no vowels, so that no word comes out, and no digits that look like letters. */
const safeLetters = "bcdfghjklmnpqrstvwxz2456789";

export function randomSuffix(length = 5): string {
  let text = "";
  for (const byte of randomBytes(length)) text += safeLetters[byte % safeLetters.length] ?? "b";
  return text;
}

/** A short name for a content: the same content always gives the same name (pod-template-hash, revisions). */
export function contentHash(content: string): string {
  const digest = createHash("sha256").update(content).digest();
  return Array.from(String(digest.readUInt32BE(0)))
    .map((digit) => safeLetters[digit.charCodeAt(0) % safeLetters.length])
    .join("");
}

/** The name of an object made from a prefix; the prefix is cut so that the whole fits into 63 characters. */
export function generatedName(prefix: string): string {
  return `${prefix.slice(0, 58)}${randomSuffix()}`;
}
