const hidden = "[hidden]";
/** Words that name a secret, at the end of a field's name: `newPassword`, `set-cookie`, `webhook_secrets`. */
const secretName =
  /(password|passphrase|secrets?|token|ticket|cookie|authorization|credentials?|api[-_]?key|private[-_]?key|keyring|sealed)$/i;
/** A name and password in an address, and what stands behind the words of an authorization header. */
const inText = [
  { pattern: /([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi, instead: `$1${hidden}@` },
  { pattern: /\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/gi, instead: `$1 ${hidden}` },
] as const;
/** What stands deeper is not written to a log. */
const maxDepth = 8;

/**
 * What may stand in a log line of these fields: whatever is named like a secret is hidden at any depth, and so are passwords
 * in addresses and headers within texts. A last net: who writes a line hands in no secret in the first place.
 */
export function redactFields(fields: object): Record<string, unknown> {
  return redactEntries(fields, 0);
}

export function redactText(text: string): string {
  return inText.reduce((safe, { pattern, instead }) => safe.replaceAll(pattern, instead), text);
}

function redactEntries(value: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name),
      secretName.test(name) && isTelling(item) ? hidden : redact(item, depth + 1),
    ]),
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
  if (value instanceof Error) return value.name;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  // Dates and the like know how they are written.
  if ("toJSON" in value && typeof value.toJSON === "function")
    return redact((value.toJSON as () => unknown)(), depth + 1);
  return redactEntries(value, depth);
}
