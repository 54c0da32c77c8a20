import { sql } from "drizzle-orm";
import {
  boolean,
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
import { at, bytes, currencyCode, id, insertedAt, minor, quantity } from "./columns.ts";

/** The catalog belongs to the house, so it carries no organization. */
export const offerings = pgTable(
  "offerings",
  {
    id: id(),
    slug: text().notNull(),
    name: text().notNull(),
    summary: text().notNull(),
    /** What the files of the catalog say of it. */
    status: text({ enum: ["published", "hidden"] }).notNull(),
    /** What allows the house to sell it, where its licence alone does not. */
    agreement: text(),
    /** Since when an operator hides it, whatever the files say. */
    hiddenAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [uniqueIndex("offerings_slug_key").on(t.slug)],
);

/** Immutable: an instance is pinned to one. */
export const blueprintVersions = pgTable(
  "blueprint_versions",
  {
    id: id(),
    offeringId: uuid()
      .notNull()
      .references(() => offerings.id),
    version: integer().notNull(),
    contentHash: text().notNull(),
    /** The definition as it was handed in. */
    source: text().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("blueprint_versions_number_key").on(t.offeringId, t.version),
    unique("blueprint_versions_content_key").on(t.offeringId, t.contentHash),
    unique("blueprint_versions_offering_key").on(t.offeringId, t.id),
  ],
);

export const plans = pgTable(
  "plans",
  {
    id: id(),
    offeringId: uuid()
      .notNull()
      .references(() => offerings.id),
    /** What new orders get; running instances keep theirs. */
    blueprintVersionId: uuid().notNull(),
    slug: text().notNull(),
    name: text().notNull(),
    /** What the files of the catalog say of it. */
    status: text({ enum: ["published", "hidden"] }).notNull(),
    /** Since when an operator hides it, whatever the files say. */
    hiddenAt: at(),
    cpuRequestMillis: integer().notNull(),
    cpuLimitMillis: integer().notNull(),
    memoryRequestBytes: bytes().notNull(),
    memoryLimitBytes: bytes().notNull(),
    storageBytes: bytes().notNull(),
    interval: text({ enum: ["P30D", "P1M"] }).notNull(),
    gracePeriodDays: integer().notNull(),
    pastDueDays: integer().notNull(),
    nodePool: text().notNull(),
    /** Nobody has it for two apps of the offering at once. */
    onePerPerson: boolean().notNull().default(false),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("plans_slug_key").on(t.offeringId, t.slug),
    foreignKey({
      columns: [t.offeringId, t.blueprintVersionId],
      foreignColumns: [blueprintVersions.offeringId, blueprintVersions.id],
      name: "plans_blueprint_version_fk",
    }),
    check(
      "plans_limits",
      sql`${t.cpuRequestMillis} between 1 and ${t.cpuLimitMillis} and ${t.memoryRequestBytes} between 1 and ${t.memoryLimitBytes} and ${t.storageBytes} > 0`,
    ),
    check("plans_days", sql`${t.gracePeriodDays} >= 0 and ${t.pastDueDays} >= 0`),
  ],
);

/** Immutable. A new price supersedes the old one; who rents keeps theirs. */
export const prices = pgTable(
  "prices",
  {
    id: id(),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    /** Once, with the first invoice. */
    setupMinor: minor()
      .notNull()
      .default(sql`0`),
    /** So many first periods cost the trial's amount; null: none do. */
    trialPeriods: integer(),
    trialAmountMinor: minor(),
    /** What the amount was made of, for operators' eyes; null where it was given whole. */
    costMinor: minor(),
    markupBasisPoints: integer(),
    createdAt: insertedAt(),
    supersededAt: at(),
  },
  (t) => [
    index("prices_plan").on(t.planId),
    uniqueIndex("prices_current_key")
      .on(t.planId, t.currency)
      .where(sql`${t.supersededAt} is null`),
    check("prices_amount", sql`${t.amountMinor} >= 0 and ${t.setupMinor} >= 0`),
    check(
      "prices_trial",
      sql`(${t.trialPeriods} is null) = (${t.trialAmountMinor} is null) and ${t.trialPeriods} > 0 and ${t.trialAmountMinor} between 0 and ${t.amountMinor}`,
    ),
    check(
      "prices_markup",
      sql`(${t.costMinor} is null) = (${t.markupBasisPoints} is null) and ${t.costMinor} >= 0 and ${t.markupBasisPoints} >= 0
        and ${t.amountMinor} = div(2 * ${t.costMinor}::numeric * (10000 + ${t.markupBasisPoints}) + 10000, 20000)`,
    ),
  ],
);

/** A step that can be had several times beside its plan. What it adds never changes (a right that nobody has). */
export const addons = pgTable(
  "addons",
  {
    id: id(),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    slug: text().notNull(),
    name: text().notNull(),
    status: text({ enum: ["published", "hidden"] }).notNull(),
    /** Of each one. */
    addsStorageBytes: bytes().notNull(),
    /** So many for one app. */
    maxCount: integer().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("addons_slug_key").on(t.planId, t.slug),
    check("addons_amounts", sql`${t.addsStorageBytes} > 0 and ${t.maxCount} > 0`),
  ],
);

/** Of one add-on for a period of its plan. Immutable, as prices of plans are. */
export const addonPrices = pgTable(
  "addon_prices",
  {
    id: id(),
    addonId: uuid()
      .notNull()
      .references(() => addons.id),
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    createdAt: insertedAt(),
    supersededAt: at(),
  },
  (t) => [
    index("addon_prices_addon").on(t.addonId),
    uniqueIndex("addon_prices_current_key")
      .on(t.addonId, t.currency)
      .where(sql`${t.supersededAt} is null`),
    check("addon_prices_amount", sql`${t.amountMinor} >= 0`),
  ],
);

/** What use costs beside the price of a period. A part of the price, and as immutable. */
export const usagePrices = pgTable(
  "usage_prices",
  {
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    meter: text().notNull(),
    /** For people: what is measured, and what the meter is counted in, such as `Processor` and `core-hours`. */
    label: text().notNull(),
    unit: text().notNull(),
    /** What `perQuantity` base units of the meter cost, in minor units of the price's currency. */
    unitAmountMinor: minor().notNull(),
    perQuantity: quantity().notNull(),
    /** So many base units of each period cost nothing. */
    includedQuantity: quantity().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.priceId, t.meter] }),
    check(
      "usage_prices_amounts",
      sql`${t.unitAmountMinor} >= 0 and ${t.perQuantity} > 0 and ${t.includedQuantity} >= 0`,
    ),
  ],
);
