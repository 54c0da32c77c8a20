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
import { at, counter, currencyCode, id, insertedAt, minor, quantity } from "./columns.ts";
import { subscriptions } from "./subscriptions.ts";

/** Who pays, as printed. What was opened before there were taxes says nothing of them. */
interface InvoiceCustomer {
  readonly organization: string;
  readonly name: string;
  readonly email: string;
  readonly taxId?: string | null;
  /** Decides which taxes hold. */
  readonly country?: string | null;
}

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
    /**
     * A `change` asks for the rest of a period that an invoice of another reason began, and `usage` for what was used
     * before a subscription was cancelled.
     */
    reason: text({ enum: ["order", "renewal", "reactivation", "change", "usage"] }).notNull(),
    /** The period that it pays for. A reactivation has no dates before it is paid: stopped time is never charged. */
    termNumber: integer().notNull(),
    periodIndex: integer().notNull(),
    periodStart: at(),
    periodEnd: at(),
    currency: currencyCode().notNull(),
    totalMinor: minor().notNull(),
    /** The part of the total that is tax; the rest is earned. */
    taxMinor: minor()
      .notNull()
      .default(sql`0`),
    paidMinor: minor()
      .notNull()
      .default(sql`0`),
    /** Frozen when opened. */
    customer: jsonb().$type<InvoiceCustomer>().notNull(),
    /** Who asks for the money, frozen as well; null where the operator has not said it. */
    seller: jsonb().$type<{ name: string; address: string | null; taxId: string | null }>(),
    openedAt: at(),
    dueAt: at(),
    paidAt: at(),
    closedAt: at(),
    closeReason: text(),
    /** Of what was paid, how much was taken back by credit notes. Written by their trigger alone. */
    creditedMinor: minor()
      .notNull()
      .default(sql`0`),
    /** The payment that is under way for it. While there is one, nothing that cannot be undone is done for want of money. */
    liveIntentId: uuid(),
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
      .where(sql`${t.status} in ('draft', 'open', 'paid', 'uncollectible') and ${t.reason} not in ('change', 'usage')`),
    index("invoices_subscription").on(t.organizationId, t.subscriptionId),
    index("invoices_open_collected")
      .on(t.openedAt)
      .where(sql`${t.status} = 'open' and ${t.reason} in ('renewal', 'usage')`),
    index("invoices_open")
      .on(t.id)
      .where(sql`${t.status} = 'open'`),
    check(
      "invoices_number",
      sql`(${t.status} = 'draft') = (${t.number} is null) and (${t.number} is null) = (${t.series} is null)`,
    ),
    check("invoices_amounts", sql`${t.totalMinor} >= 0 and ${t.paidMinor} between 0 and ${t.totalMinor}`),
    check("invoices_credited", sql`${t.creditedMinor} between 0 and ${t.paidMinor}`),
    check("invoices_tax", sql`${t.taxMinor} between 0 and ${t.totalMinor}`),
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
    /**
     * plan, parameter, addon: a part of what a period costs. change: the rest of a period at another price. usage: what was used.
     * setup: paid once, with the first period. discount: taken off, by a coupon.
     */
    kind: text({ enum: ["plan", "parameter", "change", "usage", "setup", "discount", "addon"] }).notNull(),
    description: text().notNull(),
    quantity: quantity().notNull(),
    /** So much of the quantity costs nothing. */
    includedQuantity: quantity()
      .notNull()
      .default(sql`0`),
    /** What `perQuantity` of it costs. */
    unitAmountMinor: minor().notNull(),
    perQuantity: quantity()
      .notNull()
      .default(sql`1`),
    /** (quantity - included) x unit amount / per quantity, and nothing where more is included; rounded once, half up. Of a discount below zero. */
    amountMinor: minor().notNull(),
    priceId: uuid().references(() => prices.id),
    /** Of `usage`: what was measured, and from the first hour to the end of the last one. */
    meter: text(),
    periodStart: at(),
    periodEnd: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("invoice_lines_organization_key").on(t.organizationId, t.id),
    unique("invoice_lines_position_key").on(t.invoiceId, t.position),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "invoice_lines_invoice_fk",
    }),
    check(
      "invoice_lines_amount",
      sql`${t.amountMinor} = case ${t.kind} when 'discount' then -1 else 1 end * div(2 * greatest(${t.quantity} - ${t.includedQuantity}, 0)::numeric * ${t.unitAmountMinor} + ${t.perQuantity}, 2 * ${t.perQuantity})`,
    ),
    check(
      "invoice_lines_usage",
      sql`(${t.kind} = 'usage') = (${t.meter} is not null) and (${t.meter} is null) = (${t.periodStart} is null) and (${t.meter} is null) = (${t.periodEnd} is null) and ${t.periodStart} < ${t.periodEnd}`,
    ),
    check(
      "invoice_lines_quantity",
      sql`${t.quantity} >= 0 and ${t.includedQuantity} >= 0 and ${t.perQuantity} > 0 and ${t.unitAmountMinor} >= 0`,
    ),
  ],
);

export const payments = pgTable(
  "payments",
  {
    id: id(),
    organizationId: uuid().notNull(),
    invoiceId: uuid().notNull(),
    /** manual: what an operator writes down, and nothing to pay. wallet: out of the organization's wallet. */
    provider: text({ enum: ["manual", "wallet", "sandbox"] }).notNull(),
    status: text({ enum: ["succeeded"] }).notNull(),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    /** What came with it by bank and went to the wallet, because the invoice asked for less. */
    surplusMinor: minor()
      .notNull()
      .default(sql`0`),
    /** How much of it was given back. Written by the trigger of refunds alone. */
    refundedMinor: minor()
      .notNull()
      .default(sql`0`),
    /** A bank reference that the operator wrote down, or the id of the intent. One payment of a provider is booked once. */
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
    check("payments_surplus", sql`${t.surplusMinor} >= 0 and (${t.surplusMinor} = 0 or ${t.provider} = 'manual')`),
    check("payments_refunded", sql`${t.refundedMinor} between 0 and ${t.amountMinor}`),
  ],
);

/** Takes back a part of what an invoice said, for money that is given back. Never edited; numbered in a series of its own. */
export const creditNotes = pgTable(
  "credit_notes",
  {
    id: id(),
    organizationId: uuid().notNull(),
    invoiceId: uuid().notNull(),
    series: text().notNull(),
    number: counter().notNull(),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    /** The part of the amount that is tax: the share of the invoice's that falls on it. */
    taxMinor: minor()
      .notNull()
      .default(sql`0`),
    reason: text().notNull(),
    /** As on the invoice. */
    customer: jsonb().$type<InvoiceCustomer>().notNull(),
    issuedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("credit_notes_organization_key").on(t.organizationId, t.id),
    unique("credit_notes_number_key").on(t.series, t.number),
    index("credit_notes_invoice").on(t.organizationId, t.invoiceId),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "credit_notes_invoice_fk",
    }),
    check("credit_notes_amount", sql`${t.amountMinor} > 0 and ${t.taxMinor} between 0 and ${t.amountMinor}`),
  ],
);

/** Money given back: a part or all of a payment, never more. */
export const refunds = pgTable(
  "refunds",
  {
    id: id(),
    organizationId: uuid().notNull(),
    paymentId: uuid().notNull(),
    /** A check of the migration refuses null: rows from before there were credit notes got theirs there. */
    creditNoteId: uuid(),
    /** Where it goes. A provider that refuses sends it to the wallet. */
    destination: text({ enum: ["manual", "wallet", "provider"] })
      .notNull()
      .default("manual"),
    /** pending: owed, and the provider has not said that it is done. */
    status: text({ enum: ["pending", "succeeded"] })
      .notNull()
      .default("succeeded"),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    reason: text().notNull(),
    providerReference: text(),
    /** Why the provider did not do it, in its words. */
    failure: text(),
    /** Real time at which the provider may first have heard of it. */
    askedAt: at(),
    looks: integer().notNull().default(0),
    /** Real time at which the provider is asked again; null when it is settled. */
    nextLookAt: at(),
    refundedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("refunds_organization_key").on(t.organizationId, t.id),
    index("refunds_payment").on(t.organizationId, t.paymentId),
    index("refunds_due")
      .on(t.nextLookAt)
      .where(sql`${t.nextLookAt} is not null`),
    foreignKey({
      columns: [t.organizationId, t.paymentId],
      foreignColumns: [payments.organizationId, payments.id],
      name: "refunds_payment_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.creditNoteId],
      foreignColumns: [creditNotes.organizationId, creditNotes.id],
      name: "refunds_credit_note_fk",
    }),
    check("refunds_amount", sql`${t.amountMinor} >= 0`),
    check("refunds_pending", sql`(${t.status} = 'pending') = (${t.nextLookAt} is not null)`),
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
    index("billing_periods_end").on(t.endsAt),
    check("billing_periods_half_open", sql`${t.startsAt} < ${t.endsAt}`),
  ],
);
