import { sql } from "drizzle-orm";
import {
  check,
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
import { plans } from "./catalog.ts";
import { at, currencyCode, id, insertedAt, minor } from "./columns.ts";
import { subscriptions } from "./subscriptions.ts";

/** Belongs to the house. Its terms are never edited: there are rights on `redeemed` and `deactivated_at` alone. */
export const coupons = pgTable(
  "coupons",
  {
    id: id(),
    /** As it is typed, in capitals. */
    code: text().notNull(),
    kind: text({ enum: ["percent", "amount"] }).notNull(),
    /** Of a `percent`: hundredths of one percent. */
    basisPoints: integer(),
    /** Of an `amount`, once per period. */
    currency: currencyCode(),
    amountMinor: minor(),
    /** For so many periods of a subscription; null: for all. */
    periods: integer(),
    /** By so many organizations; null: by any number. */
    maxRedemptions: integer(),
    /** By how many it is had now. */
    redeemed: integer().notNull().default(0),
    /** The only one that can have it; null: any. */
    organizationId: uuid().references(() => organizations.id),
    /** When it can be redeemed, in the organization's time; null: no beginning, no end. Who has it by then keeps it. */
    startsAt: at(),
    endsAt: at(),
    deactivatedAt: at(),
    createdBy: text().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    uniqueIndex("coupons_code_key").on(t.code),
    check("coupons_code", sql`${t.code} ~ '^[A-Z0-9_-]{3,40}$'`),
    check(
      "coupons_discount",
      sql`case ${t.kind} when 'percent' then coalesce(${t.basisPoints}, 0) between 1 and 10000 and ${t.currency} is null and ${t.amountMinor} is null
        else ${t.basisPoints} is null and ${t.currency} is not null and coalesce(${t.amountMinor}, 0) > 0 end`,
    ),
    check("coupons_limits", sql`${t.periods} > 0 and ${t.maxRedemptions} > 0 and ${t.endsAt} > ${t.startsAt}`),
    check("coupons_redeemed", sql`${t.redeemed} >= 0 and ${t.redeemed} <= ${t.maxRedemptions}`),
  ],
);

/** The plans that a coupon is for; without any it is for all. */
export const couponPlans = pgTable(
  "coupon_plans",
  {
    couponId: uuid()
      .notNull()
      .references(() => coupons.id),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
  },
  (t) => [primaryKey({ columns: [t.couponId, t.planId] })],
);

/** That an organization has a coupon, for one subscription. */
export const couponRedemptions = pgTable(
  "coupon_redemptions",
  {
    id: id(),
    organizationId: uuid().notNull(),
    couponId: uuid()
      .notNull()
      .references(() => coupons.id),
    subscriptionId: uuid().notNull(),
    /** Null: no end to them. */
    periodsLeft: integer(),
    redeemedBy: text().notNull(),
    redeemedAt: at().notNull(),
    /** Nobody got anything for it: the coupon can be had again. */
    returnedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("coupon_redemptions_organization_key").on(t.organizationId, t.id),
    uniqueIndex("coupon_redemptions_once_key")
      .on(t.couponId, t.organizationId)
      .where(sql`${t.returnedAt} is null`),
    uniqueIndex("coupon_redemptions_subscription_key")
      .on(t.subscriptionId)
      .where(sql`${t.returnedAt} is null and (${t.periodsLeft} is null or ${t.periodsLeft} > 0)`),
    index("coupon_redemptions_list").on(t.organizationId, t.id),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "coupon_redemptions_subscription_fk",
    }),
    check("coupon_redemptions_periods", sql`${t.periodsLeft} >= 0`),
  ],
);

/** A period of a redemption went into an invoice. */
export const couponUses = pgTable(
  "coupon_uses",
  {
    invoiceId: uuid().primaryKey(),
    organizationId: uuid().notNull(),
    redemptionId: uuid().notNull(),
    usedAt: at().notNull(),
    /** The invoice was voided. */
    returnedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("coupon_uses_redemption").on(t.organizationId, t.redemptionId),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "coupon_uses_invoice_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.redemptionId],
      foreignColumns: [couponRedemptions.organizationId, couponRedemptions.id],
      name: "coupon_uses_redemption_fk",
    }),
  ],
);
