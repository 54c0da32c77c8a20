import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { organizations } from "./accounts.ts";
import { at, counter, id } from "./columns.ts";

/** One asking of the books. Real time. */
export const booksRuns = pgTable(
  "books_runs",
  {
    id: id(),
    /** recent: organizations in which something happened; whole: everything; organization: one, before it is unparked. */
    mode: text({ enum: ["recent", "whole", "organization"] }).notNull(),
    startedAt: at().notNull(),
    finishedAt: at().notNull(),
    /** How many were asked about. */
    organizations: integer().notNull(),
    /** Findings that it saw, that it was the first to see, and that it no longer saw. */
    findings: integer().notNull(),
    opened: integer().notNull(),
    resolved: integer().notNull(),
  },
  (t) => [index("books_runs_finished").on(t.mode, t.finishedAt)],
);

/** A row that breaks a promise, for as long as it does. Real time. */
export const booksFindings = pgTable(
  "books_findings",
  {
    id: id(),
    /** `M01` to `M33`. */
    checkId: text().notNull(),
    kind: text({ enum: ["books", "clock"] }).notNull(),
    /** What the check answered with: the id of a row, a currency or a series. */
    rowId: text().notNull(),
    /** Whose books it is about; null for the house's own. No foreign key: what is wrong may be just that. */
    organizationId: uuid(),
    firstSeenAt: at().notNull(),
    lastSeenAt: at().notNull(),
    resolvedAt: at(),
  },
  (t) => [
    uniqueIndex("books_findings_open_key")
      .on(t.checkId, t.rowId, sql`coalesce(${t.organizationId}, '00000000-0000-0000-0000-000000000000')`)
      .where(sql`${t.resolvedAt} is null`),
    index("books_findings_open")
      .on(t.organizationId)
      .where(sql`${t.resolvedAt} is null`),
    index("books_findings_resolved")
      .on(t.resolvedAt)
      .where(sql`${t.resolvedAt} is not null`),
    check("books_findings_check", sql`${t.checkId} ~ '^M[0-9]{2}$'`),
    check("books_findings_seen", sql`${t.lastSeenAt} >= ${t.firstSeenAt}`),
  ],
);

/** How far an organization's events and postings had come when its books were last asked. */
export const booksCheckpoints = pgTable("books_checkpoints", {
  organizationId: uuid()
    .primaryKey()
    .references(() => organizations.id),
  sequence: counter().notNull(),
  ledgerSequence: counter().notNull(),
});
