import { sql } from "drizzle-orm";
import {
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
import { prices } from "./catalog.ts";
import { at, counter, currencyCode, id, insertedAt, minor } from "./columns.ts";
import { subscriptions } from "./subscriptions.ts";

/** Numbers without gaps: the row is locked, raised and used in the transaction that opens the invoice. */
export const invoiceCounters = pgTable("invoice_counters", {
  series: text().primaryKey(),
  lastNumber: counter().notNull(),
});

export const invoices = pgTable(
  "invoices",
  {
    id: id(),
    organizationId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    status: text({ enum: ["draft", "open", "paid", "void", "uncollectible"] }).notNull(),
    series: text(),
    number: counter(),
    /** A `change` asks for the rest of a period that an invoice of another reason began. */
    reason: text({ enum: ["order", "renewal", "reactivation", "change"] }).notNull(),
    /** The period that it pays for. A reactivation has no dates before it is paid: stopped time is never charged. */
    termNumber: integer().notNull(),
    periodIndex: integer().notNull(),
    periodStart: at(),
    periodEnd: at(),
    currency: currencyCode().notNull(),
    totalMinor: minor().notNull(),
    paidMinor: minor()
      .notNull()
      .default(sql`0`),
    /** Name and address as printed; frozen when opened. */
    customer: jsonb().$type<{ organization: string; name: string; email: string }>().notNull(),
    openedAt: at(),
    dueAt: at(),
    paidAt: at(),
    closedAt: at(),
    closeReason: text(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("invoices_organization_key").on(t.organizationId, t.id),
    unique("invoices_number_key").on(t.series, t.number),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "invoices_subscription_fk",
    }),
    // A period is asked for once: a second live invoice for it cannot exist.
    uniqueIndex("invoices_period_key")
      .on(t.subscriptionId, t.termNumber, t.periodIndex)
      .where(sql`${t.status} in ('draft', 'open', 'paid', 'uncollectible') and ${t.reason} <> 'change'`),
    index("invoices_subscription").on(t.organizationId, t.subscriptionId),
    check(
      "invoices_number",
      sql`(${t.status} = 'draft') = (${t.number} is null) and (${t.number} is null) = (${t.series} is null)`,
    ),
    check("invoices_amounts", sql`${t.totalMinor} >= 0 and ${t.paidMinor} between 0 and ${t.totalMinor}`),
    check(
      "invoices_paid",
      sql`(${t.status} = 'paid') = (${t.paidAt} is not null) and (${t.status} <> 'paid' or ${t.paidMinor} = ${t.totalMinor})`,
    ),
  ],
);

export const invoiceLines = pgTable(
  "invoice_lines",
  {
    id: id(),
    organizationId: uuid().notNull(),
    invoiceId: uuid().notNull(),
    position: integer().notNull(),
    description: text().notNull(),
    quantity: counter().notNull(),
    unitAmountMinor: minor().notNull(),
    amountMinor: minor().notNull(),
    priceId: uuid().references(() => prices.id),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("invoice_lines_position_key").on(t.invoiceId, t.position),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "invoice_lines_invoice_fk",
    }),
    check("invoice_lines_amount", sql`${t.amountMinor} = ${t.quantity} * ${t.unitAmountMinor}`),
  ],
);

export const payments = pgTable(
  "payments",
  {
    id: id(),
    organizationId: uuid().notNull(),
    invoiceId: uuid().notNull(),
    provider: text({ enum: ["manual"] }).notNull(),
    status: text({ enum: ["succeeded"] }).notNull(),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    /** What the operator wrote down: a bank reference. One payment of a provider is booked once. */
    reference: text(),
    recordedBy: text().notNull(),
    receivedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("payments_organization_key").on(t.organizationId, t.id),
    uniqueIndex("payments_reference_key")
      .on(t.provider, t.reference)
      .where(sql`${t.reference} is not null`),
    index("payments_invoice").on(t.organizationId, t.invoiceId),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "payments_invoice_fk",
    }),
    check("payments_amount", sql`${t.amountMinor} >= 0`),
  ],
);

/** Money given back. A payment is given back once and in full. */
export const refunds = pgTable(
  "refunds",
  {
    id: id(),
    organizationId: uuid().notNull(),
    paymentId: uuid().notNull(),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    reason: text().notNull(),
    refundedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("refunds_payment_key").on(t.paymentId),
    foreignKey({
      columns: [t.organizationId, t.paymentId],
      foreignColumns: [payments.organizationId, payments.id],
      name: "refunds_payment_fk",
    }),
    check("refunds_amount", sql`${t.amountMinor} >= 0`),
  ],
);

/** What was paid for. Half-open; periods of a subscription never overlap (an exclusion constraint in the migration). */
export const billingPeriods = pgTable(
  "billing_periods",
  {
    id: id(),
    organizationId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    termNumber: integer().notNull(),
    periodIndex: integer().notNull(),
    startsAt: at().notNull(),
    /** Earlier than computed when the period was cut after days past due or a cancellation. */
    endsAt: at().notNull(),
    invoiceId: uuid().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("billing_periods_index_key").on(t.subscriptionId, t.termNumber, t.periodIndex),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "billing_periods_subscription_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "billing_periods_invoice_fk",
    }),
    check("billing_periods_half_open", sql`${t.startsAt} < ${t.endsAt}`),
  ],
);
