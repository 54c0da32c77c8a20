const hidden = "[hidden]";
const secretWords =
  "password|passphrase|secrets?|tokens?|ticket|cookies?|authorization|credentials?|api[-_]?keys?|private[-_]?keys?|secret[-_]?keys?|access[-_]?keys?|recovery[-_]?codes?|keyring|sealed";
/** Words that name a secret, at the end of a field's name: `newPassword`, `set-cookie`, `webhook_secrets`, `password_hash`. */
const secretName = new RegExp(`(${secretWords})([-_]?(hash|value|text))?$`, "i");
/**
 * Our own tokens, a name and password in an address, what stands behind the words of an authorization header, and a secret
 * behind its name: in a query, in the settings of a connection, in JSON.
 */
const inText = [
  { pattern: /\bsewa_[a-z]_[\w-]{8,}/g, instead: hidden },
  { pattern: /([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi, instead: `$1${hidden}@` },
  { pattern: /\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi, instead: `$1 ${hidden}` },
  { pattern: new RegExp(`\\b([\\w-]*(?:${secretWords})=)[^\\s&"']+`, "gi"), instead: `$1${hidden}` },
  {
    pattern: new RegExp(`("[\\w-]*(?:${secretWords})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi"),
    instead: `$1"${hidden}"`,
  },
] as const;
/** What stands deeper is not written to a log. */
const maxDepth = 8;

/**
 * What may stand in a log line of these fields: whatever is named like a secret is hidden at any depth, and so are secrets
 * within texts where something tells them. A last net: who writes a line hands in no secret in the first place. Throws for
 * nothing, or what was to be told would be lost with it.
 */
export function redactFields(fields: object): Record<string, unknown> {
  return redactEntries(fields, 0);
}

/** The same for a value of any kind. */
export function redactValue(value: unknown): unknown {
  return redact(value, 0);
}

export function redactText(text: string): string {
  return inText.reduce((safe, { pattern, instead }) => safe.replaceAll(pattern, instead), text);
}

function redactEntries(value: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(value).map((name) => {
      const item = orHidden(() => (value as Readonly<Record<string, unknown>>)[name]);
      return [redactText(name), secretName.test(name) && isTelling(item) ? hidden : redact(item, depth + 1)];
    }),
  );
}

/** Flags and counts under such a name give nothing away, and nothing is nothing. */
function isTelling(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== "boolean" && typeof value !== "number";
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (value === null || typeof value !== "object") return value;
  if (depth > maxDepth) return hidden;
  // Its words may hold a statement with its parameters; who logs an error describes it first.
  if (value instanceof Error) return redactText(orHidden(() => value.name));
  // Keys and passwords are bytes before they are text.
  if (ArrayBuffer.isView(value)) return hidden;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  // Dates and the like know how they are written.
  if ("toJSON" in value && typeof value.toJSON === "function")
    return redact(
      orHidden(() => (value.toJSON as () => unknown)()),
      depth + 1,
    );
  return redactEntries(value, depth);
}

/** What cannot be read, since reading it runs code of its own, is not written. */
function orHidden<T>(read: () => T): T | string {
  try {
    return read();
  } catch {
    return hidden;
  }
}
