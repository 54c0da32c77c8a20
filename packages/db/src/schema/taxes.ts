import { sql } from "drizzle-orm";
import { boolean, char, check, foreignKey, index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { creditNotes, invoices } from "./billing.ts";
import { at, id, insertedAt, minor } from "./columns.ts";

/** Belongs to the house. Only its end is written later: what an invoice was opened with stays what it was. */
export const taxRates = pgTable(
  "tax_rates",
  {
    id: id(),
    /** As printed, for example `PPN`. */
    name: text().notNull(),
    /** Hundredths of a percent: 1,100 for 11 %. */
    basisPoints: integer().notNull(),
    /** Prices contain it already; otherwise it is added to them. */
    isInclusive: boolean().notNull(),
    /** ISO 3166 code of the customers' country; null for all. */
    country: char({ length: 2 }),
    startsAt: at().notNull(),
    /** Half-open. Null: until somebody ends it. */
    endsAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    check("tax_rates_basis_points", sql`${t.basisPoints} between 1 and 10000`),
    check("tax_rates_country", sql`${t.country} ~ '^[A-Z]{2}$'`),
    check("tax_rates_half_open", sql`${t.endsAt} >= ${t.startsAt}`),
  ],
);

/** The taxes of an invoice, as they were when it was opened. Append-only by grant. */
export const invoiceTaxes = pgTable(
  "invoice_taxes",
  {
    id: id(),
    organizationId: uuid().notNull(),
    invoiceId: uuid().notNull(),
    position: integer().notNull(),
    taxRateId: uuid()
      .notNull()
      .references(() => taxRates.id),
    name: text().notNull(),
    basisPoints: integer().notNull(),
    isInclusive: boolean().notNull(),
    /** What all lines come to without any tax. */
    baseMinor: minor().notNull(),
    amountMinor: minor().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("invoice_taxes_position_key").on(t.invoiceId, t.position),
    unique("invoice_taxes_rate_key").on(t.organizationId, t.invoiceId, t.taxRateId),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "invoice_taxes_invoice_fk",
    }),
    check("invoice_taxes_amounts", sql`${t.baseMinor} >= 0 and ${t.amountMinor} >= 0`),
  ],
);

/** Of the taxes of an invoice, what one of its credit notes takes back. Append-only by grant. */
export const creditNoteTaxes = pgTable(
  "credit_note_taxes",
  {
    id: id(),
    organizationId: uuid().notNull(),
    creditNoteId: uuid().notNull(),
    invoiceId: uuid().notNull(),
    taxRateId: uuid().notNull(),
    amountMinor: minor().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("credit_note_taxes_rate_key").on(t.creditNoteId, t.taxRateId),
    index("credit_note_taxes_invoice").on(t.organizationId, t.invoiceId),
    foreignKey({
      columns: [t.organizationId, t.creditNoteId],
      foreignColumns: [creditNotes.organizationId, creditNotes.id],
      name: "credit_note_taxes_credit_note_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.invoiceId, t.taxRateId],
      foreignColumns: [invoiceTaxes.organizationId, invoiceTaxes.invoiceId, invoiceTaxes.taxRateId],
      name: "credit_note_taxes_invoice_tax_fk",
    }),
    check("credit_note_taxes_amount", sql`${t.amountMinor} > 0`),
  ],
);
