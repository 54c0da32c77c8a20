import { sql } from "drizzle-orm";
import { index, integer, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { organizations } from "./accounts.ts";
import { at, id, insertedAt } from "./columns.ts";

/**
 * The key that closes an organization's secrets, itself closed by a key of the keyring. A change of the keyring closes
 * these rows anew; what they close stays as it is.
 */
export const dataKeys = pgTable(
  "data_keys",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    keyId: text().notNull(),
    sealed: text().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [uniqueIndex("data_keys_organization_key").on(t.organizationId), index("data_keys_key").on(t.keyId)],
);

/** What operators asked for: everything under one key of the keyring. */
export const keyRotations = pgTable(
  "key_rotations",
  {
    id: id(),
    /** Id of the key; never the key. */
    target: text().notNull(),
    requestedAt: at().notNull(),
    /** Rows that were closed anew so far. */
    rewrapped: integer().notNull().default(0),
    finishedAt: at(),
  },
  (t) => [
    uniqueIndex("key_rotations_open")
      .on(sql`(true)`)
      .where(sql`${t.finishedAt} is null`),
  ],
);
