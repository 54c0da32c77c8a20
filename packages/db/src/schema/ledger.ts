import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { organizations } from "./accounts.ts";
import { at, counter, currencyCode, id, insertedAt, minor } from "./columns.ts";

/**
 * One account of one organization in one currency. The house's own accounts (revenue, cash) are kept per organization
 * too, so that both legs of a transaction belong to the same one. `balance` is a projection of the entries, written by a
 * trigger alone, on the account's normal side: what a receivable is owed and what a wallet holds are both positive.
 */
export const ledgerAccounts = pgTable(
  "ledger_accounts",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    kind: text({
      enum: ["receivable", "cash", "revenue", "bad_debt", "wallet", "refund_due", "goodwill", "tax_payable"],
    }).notNull(),
    currency: currencyCode().notNull(),
    normalSide: text({ enum: ["debit", "credit"] }).notNull(),
    mayGoNegative: boolean().notNull(),
    balanceMinor: minor()
      .notNull()
      .default(sql`0`),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("ledger_accounts_kind_key").on(t.organizationId, t.kind, t.currency),
    unique("ledger_accounts_currency_key").on(t.organizationId, t.id, t.currency),
    check("ledger_accounts_balance", sql`${t.mayGoNegative} or ${t.balanceMinor} >= 0`),
  ],
);

/** Append-only by grant. Numbered and chained by hashes within its organization. */
export const ledgerTransactions = pgTable(
  "ledger_transactions",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    sequence: counter().notNull(),
    kind: text({
      enum: [
        "invoice_opened",
        "invoice_voided",
        "invoice_written_off",
        "payment_received",
        "payment_refunded",
        "wallet_topped_up",
        "wallet_credited",
        "wallet_spent",
        "wallet_refunded",
        "wallet_adjusted",
        "refund_promised",
      ],
    }).notNull(),
    sourceType: text({ enum: ["invoice", "payment", "refund", "intent", "adjustment"] }).notNull(),
    sourceId: uuid().notNull(),
    /** What is posted under a key is posted once. */
    idempotencyKey: text().notNull(),
    reversesId: uuid(),
    /** Business time: the organization's clock. */
    postedAt: at().notNull(),
    /** SHA-256 over what the row and its entries say. */
    digest: text().notNull(),
    /** SHA-256 over the chain of the transaction before and this digest. */
    chain: text().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("ledger_transactions_organization_key").on(t.organizationId, t.id),
    unique("ledger_transactions_sequence_key").on(t.organizationId, t.sequence),
    unique("ledger_transactions_idempotency_key").on(t.organizationId, t.idempotencyKey),
    uniqueIndex("ledger_transactions_reverses_key")
      .on(t.reversesId)
      .where(sql`${t.reversesId} is not null`),
    index("ledger_transactions_posted").on(t.postedAt),
    foreignKey({
      columns: [t.organizationId, t.reversesId],
      foreignColumns: [t.organizationId, t.id],
      name: "ledger_transactions_reverses_fk",
    }),
  ],
);

/** Append-only by grant. Debits are positive, credits negative; a transaction's entries sum to zero at commit. */
export const ledgerEntries = pgTable(
  "ledger_entries",
  {
    id: id(),
    organizationId: uuid().notNull(),
    transactionId: uuid().notNull(),
    position: integer().notNull(),
    accountId: uuid().notNull(),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("ledger_entries_position_key").on(t.transactionId, t.position),
    index("ledger_entries_account").on(t.accountId),
    foreignKey({
      columns: [t.organizationId, t.transactionId],
      foreignColumns: [ledgerTransactions.organizationId, ledgerTransactions.id],
      name: "ledger_entries_transaction_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.accountId, t.currency],
      foreignColumns: [ledgerAccounts.organizationId, ledgerAccounts.id, ledgerAccounts.currency],
      name: "ledger_entries_account_fk",
    }),
    check("ledger_entries_amount", sql`${t.amountMinor} <> 0`),
  ],
);

/**
 * How far the books of an organization were found true, signed with a key that is not in the database: who writes them anew
 * from there back is found out.
 */
export const ledgerCheckpoints = pgTable(
  "ledger_checkpoints",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    /** `start`: up to here transactions are gone, and `opening` is what they came to. `latest`: as far as the last look came. */
    kind: text({ enum: ["start", "latest"] }).notNull(),
    sequence: counter().notNull(),
    chain: text().notNull(),
    /** By account, in minor units as text: the sum of the entries that are gone, debits positive. */
    opening: jsonb().$type<Readonly<Record<string, string>>>(),
    /** When the newest of those that are gone was posted: business time. */
    openingAt: at(),
    keyId: text().notNull(),
    signature: text().notNull(),
    signedAt: at().notNull(),
  },
  (t) => [
    unique("ledger_checkpoints_key").on(t.organizationId, t.kind),
    check(
      "ledger_checkpoints_opening",
      sql`num_nonnulls(${t.opening}, ${t.openingAt}) = case ${t.kind} when 'start' then 2 else 0 end`,
    ),
  ],
);
