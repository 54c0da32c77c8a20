import { z } from "zod";
import { DomainError } from "./errors.ts";

export const maxPageSize = 100;

export interface PageInput {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

const cursorValue = z.array(z.union([z.string(), z.number()])).max(4);

/** Turns `limit + 1` rows into a page; the cursor is the sort key of the last row that is given out. */
export function toPage<T>(rows: readonly T[], limit: number, key: (row: T) => readonly (string | number)[]): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? Buffer.from(JSON.stringify(key(last))).toString("base64url") : null };
}

/** The uuid in a cursor of a list that is sorted by id. */
export function readIdCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const [id] = readCursor(cursor);
  if (typeof id !== "string" || !z.uuid().safeParse(id).success) throw badCursor();
  return id;
}

export function readNumberCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  const [value] = readCursor(cursor);
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw badCursor();
  return value;
}

export function readTextCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const [value] = readCursor(cursor);
  if (typeof value !== "string" || !isStorable(value)) throw badCursor();
  return value;
}

/** What a list of its own order put into its cursors; null at the beginning. */
export function readCursorOf<T>(cursor: string | undefined, schema: z.ZodType<T>): T | null {
  if (cursor === undefined) return null;
  const read = schema.safeParse(readCursor(cursor));
  if (!read.success) throw badCursor();
  return read.data;
}

/** PostgreSQL compares with no text that it could not store. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

export function pageLimit(input: PageInput): number {
  return Math.min(Math.max(input.limit ?? 50, 1), maxPageSize);
}

function readCursor(cursor: string): readonly (string | number)[] {
  try {
    return cursorValue.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch {
    throw badCursor();
  }
}

function badCursor(): DomainError {
  return new DomainError("INVALID_INPUT", "The cursor is not one that this list gave out.", {
    issues: [{ path: "cursor", message: "Unknown cursor." }],
  });
}
