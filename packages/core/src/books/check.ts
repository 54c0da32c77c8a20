import type { SQL } from "drizzle-orm";

export interface BooksScope {
  /** The time of the house. An organization on a test clock is judged by its own time. */
  readonly now: Date;
  /** A condition: the organization in this column is one of those that are asked about. */
  readonly within: (organizationId: SQL) => SQL;
}

export interface BooksPromise {
  readonly id: string;
  /** What holds when nothing is found. */
  readonly promise: string;
  /** `books`: the books are wrong. `clock`: something is late or out of step, which an outage explains. */
  readonly kind: BooksKind;
  /**
   * What has to happen for an answer to change. `change`: something to an organization, so that others need not be asked.
   * `time`: nothing, so that all are asked each time. `house`: something to anybody, which only asking for all of it shows.
   */
  readonly by: "change" | "time" | "house";
}

/** A promise that one query asks about. */
export interface BooksCheck extends BooksPromise {
  /** What breaks the promise: rows in a column `id`, and in `organization_id` whose books it is about; null for the house's. */
  readonly rows: (scope: BooksScope) => SQL;
}

export type BooksKind = "books" | "clock";

/** Of something that happened to an organization, like most of them. */
export const books = (id: string, promise: string, rows: BooksCheck["rows"]): BooksCheck => ({
  id,
  promise,
  kind: "books",
  by: "change",
  rows,
});
export const clock = (id: string, promise: string, rows: BooksCheck["rows"]): BooksCheck => ({
  id,
  promise,
  kind: "clock",
  by: "change",
  rows,
});
