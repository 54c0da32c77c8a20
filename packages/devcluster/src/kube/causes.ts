import type { StatusCause } from "./status.ts";

/** One entry of a 422, in the words of the server. */

function shown(value: unknown): string {
  return value === undefined ? "null" : JSON.stringify(value);
}

export function required(field: string, detail = ""): StatusCause {
  return { reason: "FieldValueRequired", message: `Required value${detail === "" ? "" : `: ${detail}`}`, field };
}

export function invalidValue(field: string, value: unknown, detail: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${shown(value)}: ${detail}`, field };
}

export function forbiddenField(field: string, detail: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${detail}`, field };
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): StatusCause {
  const list = supported.map((item) => `"${item}"`).join(", ");
  const message = `Unsupported value: ${shown(value)}: supported values: ${list}`;
  return { reason: "FieldValueNotSupported", message, field };
}

export function duplicate(field: string, value: unknown): StatusCause {
  return { reason: "FieldValueDuplicate", message: `Duplicate value: ${shown(value)}`, field };
}

export function notFoundValue(field: string, value: unknown): StatusCause {
  return { reason: "FieldValueNotFound", message: `Not found: ${shown(value)}`, field };
}

export function tooLong(field: string, bytes: number): StatusCause {
  return { reason: "FieldValueTooLong", message: `Too long: may not be more than ${bytes} bytes`, field };
}

export function immutable(field: string, value: unknown): StatusCause {
  return invalidValue(field, value, "field is immutable");
}
