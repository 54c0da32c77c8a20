import { sql } from "drizzle-orm";
import { check, index, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { organizations, users } from "./accounts.ts";
import { at, id, insertedAt } from "./columns.ts";

/** What programs call with, on behalf of a member. Never deleted: whoever reads the audit wants to know what a token was. */
export const apiTokens = pgTable(
  "api_tokens",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    /** The member who made it; it may never more than they may. */
    userId: uuid()
      .notNull()
      .references(() => users.id),
    name: text().notNull(),
    /** SHA-256 of the token: whoever reads this table cannot call with it. */
    hash: text().notNull(),
    /** How the token begins, for its owner to recognise it. */
    hint: text().notNull(),
    scopes: jsonb().$type<readonly string[]>().notNull(),
    /** Networks in CIDR notation from which it is good; from everywhere when there are none. */
    allowedNetworks: jsonb().$type<readonly string[]>().notNull(),
    /** Real time, as all of these. Null: never. */
    expiresAt: at(),
    lastUsedAt: at(),
    /** Null where the client's address is none that could be told. */
    lastUsedAddress: text(),
    revokedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    uniqueIndex("api_tokens_hash_key").on(t.hash),
    index("api_tokens_organization").on(t.organizationId, t.id),
    index("api_tokens_member")
      .on(t.organizationId, t.userId)
      .where(sql`${t.revokedAt} is null`),
    check("api_tokens_hash", sql`${t.hash} ~ '^[0-9a-f]{64}$'`),
    check("api_tokens_hint", sql`length(${t.hint}) = 12`),
  ],
);
