import { check, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
import { organizations, users } from "./accounts.ts";
import { at, id, insertedAt } from "./columns.ts";

/** A mail that must be sent once. Its text is made when it is sent; nothing secret stands here. */
export const notifications = pgTable(
  "notifications",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    /** To whom; null where it goes to an address that may have no account. */
    userId: uuid().references(() => users.id),
    email: text(),
    locale: text({ enum: ["id", "en"] }),
    kind: text().notNull(),
    /** The fact that it tells of; a second row about the same fact is refused. */
    dedupeKey: text().notNull(),
    data: jsonb().$type<Record<string, unknown>>().notNull(),
    status: text({ enum: ["queued", "sent", "failed"] }).notNull(),
    attempts: integer().notNull().default(0),
    lastError: text(),
    occurredAt: at().notNull(),
    sentAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    check(
      "notifications_recipient",
      sql`(${t.userId} is null) = (${t.email} is not null) and (${t.email} is null) = (${t.locale} is null)`,
    ),
    uniqueIndex("notifications_dedupe_key").on(t.dedupeKey),
    index("notifications_organization").on(t.organizationId, t.id),
    index("notifications_queued")
      .on(t.createdAt)
      .where(sql`${t.status} = 'queued'`),
  ],
);
