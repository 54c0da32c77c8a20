import { sql } from "drizzle-orm";
import { boolean, char, check, index, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, counter, id, insertedAt } from "./columns.ts";

export const users = pgTable(
  "users",
  {
    id: id(),
    /** Lower case, as core normalised it. */
    email: text().notNull(),
    name: text().notNull(),
    /** argon2id; null until an invited operator has chosen a password. */
    passwordHash: text(),
    locale: text({ enum: ["id", "en"] }).notNull(),
    emailVerifiedAt: at(),
    isOperator: boolean().notNull().default(false),
    suspendedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [uniqueIndex("users_email_key").on(t.email), check("users_email_lower", sql`${t.email} = lower(${t.email})`)],
);

export const organizations = pgTable(
  "organizations",
  {
    id: id(),
    name: text().notNull(),
    /** IANA name; periods and reminder hours are computed in it. */
    timeZone: text().notNull(),
    /** Of who pays, as the tax office writes it (NPWP); printed on invoices. */
    taxId: text(),
    /** ISO 3166 code; null where nobody has said it. */
    country: char({ length: 2 }),
    /** Its books are wrong: no money moves until an operator has looked. Business time. */
    parkedAt: at(),
    parkedReason: text(),
    /** Since when money can be taken again; null when it always could. */
    unparkedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("organizations_parked")
      .on(t.id)
      .where(sql`${t.parkedAt} is not null`),
    check("organizations_parked_why", sql`(${t.parkedAt} is null) = (${t.parkedReason} is null)`),
  ],
);

export const members = pgTable(
  "members",
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    role: text({ enum: ["owner"] }).notNull(),
    createdAt: insertedAt(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.userId] }), index("members_user").on(t.userId)],
);

/** The id is the SHA-256 of the token: whoever reads this table cannot log in with it. */
export const sessions = pgTable(
  "sessions",
  {
    id: text().primaryKey(),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    expiresAt: at().notNull(),
    /** The session ends here, however often it was renewed. */
    absoluteExpiresAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [index("sessions_user").on(t.userId), index("sessions_expiry").on(t.expiresAt)],
);

/** One-time tokens; the id is the SHA-256 of the token. */
export const accountTokens = pgTable(
  "account_tokens",
  {
    id: text().primaryKey(),
    kind: text({ enum: ["verify_email", "reset_password", "admin_invite", "socket_ticket"] }).notNull(),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    /** A socket ticket stands for this session and dies with it. */
    sessionId: text().references(() => sessions.id, { onDelete: "cascade" }),
    expiresAt: at().notNull(),
    usedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("account_tokens_user").on(t.userId, t.kind),
    index("account_tokens_expiry").on(t.expiresAt),
    check("account_tokens_session", sql`(${t.kind} = 'socket_ticket') = (${t.sessionId} is not null)`),
  ],
);

/** Counts of tries in a window: log-in and sign-up limits that hold over all processes. */
export const attemptCounters = pgTable(
  "attempt_counters",
  { key: text().primaryKey(), count: counter().notNull(), windowEndsAt: at().notNull() },
  (t) => [index("attempt_counters_end").on(t.windowEndsAt)],
);

/** Present for organizations that live on a test clock. `targetAt` is ahead of `nowAt` while it is being advanced. */
export const testClocks = pgTable(
  "test_clocks",
  {
    organizationId: uuid()
      .primaryKey()
      .references(() => organizations.id),
    nowAt: at().notNull(),
    targetAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [check("test_clocks_forward", sql`${t.targetAt} >= ${t.nowAt}`)],
);
