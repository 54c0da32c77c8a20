import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { organizations } from "./accounts.ts";
import { invoices } from "./billing.ts";
import { at, currencyCode, id, insertedAt, minor } from "./columns.ts";

const raw = customType<{ data: Buffer }>({ dataType: () => "bytea" });

/** A card that a provider keeps for a customer. Of the card itself nothing is known here. */
export const paymentMethods = pgTable(
  "payment_methods",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    provider: text({ enum: ["sandbox"] }).notNull(),
    /** As the customer knows it, such as `Visa 4242`. */
    label: text().notNull(),
    /** Hash of the provider's token, so that the same card is kept once. */
    fingerprint: text().notNull(),
    /** The provider's token, closed with a key of the keyring; gone once the card was removed. */
    keyId: text(),
    sealed: text(),
    /** Renewals are charged to it without asking. */
    isAutomatic: boolean().notNull().default(false),
    savedAt: at().notNull(),
    removedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("payment_methods_organization_key").on(t.organizationId, t.id),
    uniqueIndex("payment_methods_fingerprint_key")
      .on(t.organizationId, t.fingerprint)
      .where(sql`${t.removedAt} is null`),
    uniqueIndex("payment_methods_automatic_key")
      .on(t.organizationId)
      .where(sql`${t.isAutomatic}`),
    check("payment_methods_sealed", sql`(${t.sealed} is null) = (${t.removedAt} is not null)`),
    check("payment_methods_automatic", sql`not ${t.isAutomatic} or ${t.removedAt} is null`),
  ],
);

/**
 * Money that we mean to take, written down before anybody is asked for it. Its id is the reference under which the provider
 * knows it. Times are real, also where the organization lives on a test clock; `started_at` and `ended_at` are business time.
 */
export const paymentIntents = pgTable(
  "payment_intents",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    purpose: text({ enum: ["invoice", "top_up"] }).notNull(),
    invoiceId: uuid(),
    provider: text({ enum: ["wallet", "sandbox"] }).notNull(),
    /** The saved card that is charged; null when the customer pays elsewhere, or out of the wallet. */
    methodId: uuid(),
    /** automatic: a renewal or a top-up that nobody asked for just now. */
    origin: text({ enum: ["customer", "automatic"] }).notNull(),
    savesMethod: boolean().notNull().default(false),
    status: text({ enum: ["created", "pending", "succeeded", "failed", "expired", "cancelled"] }).notNull(),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    /** What the provider has taken; set when it succeeded. */
    receivedMinor: minor(),
    providerReference: text(),
    checkoutUrl: text(),
    /** A word of the provider for why it failed. */
    failure: text(),
    expiresAt: at().notNull(),
    /** When the provider may first have heard of it. From then on it is looked up before anything else is done. */
    askedAt: at(),
    cancelRequestedAt: at(),
    looks: integer().notNull().default(0),
    /** When the provider is asked what became of it; null when nothing more is expected. */
    nextLookAt: at(),
    startedBy: text().notNull(),
    startedAt: at().notNull(),
    endedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("payment_intents_organization_key").on(t.organizationId, t.id),
    uniqueIndex("payment_intents_live_key")
      .on(t.invoiceId)
      .where(sql`${t.status} in ('created', 'pending')`),
    uniqueIndex("payment_intents_top_up_key")
      .on(t.organizationId, t.currency)
      .where(sql`${t.status} in ('created', 'pending') and ${t.purpose} = 'top_up' and ${t.origin} = 'automatic'`),
    index("payment_intents_due")
      .on(t.nextLookAt)
      .where(sql`${t.nextLookAt} is not null`),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "payment_intents_invoice_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.methodId],
      foreignColumns: [paymentMethods.organizationId, paymentMethods.id],
      name: "payment_intents_method_fk",
    }),
    check("payment_intents_purpose", sql`(${t.purpose} = 'invoice') = (${t.invoiceId} is not null)`),
    check("payment_intents_amounts", sql`${t.amountMinor} > 0 and ${t.receivedMinor} > 0`),
    check("payment_intents_received", sql`(${t.status} = 'succeeded') = (${t.receivedMinor} is not null)`),
    check("payment_intents_ended", sql`(${t.status} in ('created', 'pending')) = (${t.endedAt} is null)`),
    // What nobody was asked for is not looked at once it has ended.
    check("payment_intents_looks", sql`${t.endedAt} is null or ${t.askedAt} is not null or ${t.nextLookAt} is null`),
    check("payment_intents_live", sql`${t.endedAt} is not null or ${t.nextLookAt} is not null`),
  ],
);

/** The inbox of webhooks: each notice of a provider once, as it came. Of the house, until a look-up tells whom it is about. */
export const paymentNotices = pgTable(
  "payment_notices",
  {
    provider: text({ enum: ["sandbox"] }).notNull(),
    /** The provider's; the same when it is delivered again. */
    eventId: text().notNull(),
    type: text().notNull(),
    subjectType: text({ enum: ["payment", "refund"] }),
    /** The intent or the refund, if the reference is one of ours. */
    subjectId: uuid(),
    body: raw().notNull(),
    receivedAt: at().notNull(),
    /** When the provider was asked because of it, or when it was found to be about nothing of ours. */
    appliedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    primaryKey({ name: "payment_notices_pkey", columns: [t.provider, t.eventId] }),
    index("payment_notices_unapplied")
      .on(t.receivedAt)
      .where(sql`${t.appliedAt} is null`),
    index("payment_notices_subject").on(t.subjectId),
    check("payment_notices_body", sql`octet_length(${t.body}) <= 65536`),
  ],
);

/** How far taking the money of a renewal by itself has come. In business time. */
export const invoiceCollections = pgTable(
  "invoice_collections",
  {
    invoiceId: uuid().primaryKey(),
    organizationId: uuid().notNull(),
    /** Times that the saved card was charged. */
    attempts: integer().notNull().default(0),
    startedAt: at().notNull(),
    /** Null while one is under way, and when no more will follow. */
    nextAttemptAt: at(),
    lastFailure: text(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("invoice_collections_due")
      .on(t.nextAttemptAt)
      .where(sql`${t.nextAttemptAt} is not null`),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "invoice_collections_invoice_fk",
    }),
  ],
);

/** Fills the wallet from a saved card when it falls below a threshold. In real time. */
export const autoTopUps = pgTable(
  "auto_top_ups",
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    currency: currencyCode().notNull(),
    thresholdMinor: minor().notNull(),
    amountMinor: minor().notNull(),
    methodId: uuid().notNull(),
    isEnabled: boolean().notNull(),
    /** In a row. */
    failures: integer().notNull().default(0),
    /** Not before then. */
    nextAttemptAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    primaryKey({ name: "auto_top_ups_pkey", columns: [t.organizationId, t.currency] }),
    foreignKey({
      columns: [t.organizationId, t.methodId],
      foreignColumns: [paymentMethods.organizationId, paymentMethods.id],
      name: "auto_top_ups_method_fk",
    }),
    check("auto_top_ups_amounts", sql`${t.thresholdMinor} >= 0 and ${t.amountMinor} > 0`),
  ],
);
