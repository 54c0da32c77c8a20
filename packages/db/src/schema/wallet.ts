import { sql } from "drizzle-orm";
import { check, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { organizations } from "./accounts.ts";
import { at, currencyCode, id, insertedAt, minor } from "./columns.ts";

/** What an operator gave to a wallet or took out of it, and why. Append-only by grant. */
export const walletAdjustments = pgTable(
  "wallet_adjustments",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    currency: currencyCode().notNull(),
    /** Below zero: taken out. */
    amountMinor: minor().notNull(),
    reason: text().notNull(),
    adjustedBy: text().notNull(),
    adjustedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("wallet_adjustments_organization_key").on(t.organizationId, t.id),
    check("wallet_adjustments_amount", sql`${t.amountMinor} <> 0`),
  ],
);
