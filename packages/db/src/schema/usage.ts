import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { invoiceLines } from "./billing.ts";
import { prices } from "./catalog.ts";
import { at, bytes, counter, insertedAt, minor, quantity } from "./columns.ts";
import { instances } from "./instances.ts";
import { subscriptions } from "./subscriptions.ts";

/**
 * What an instance used in one minute, in real time. A row is a whole minute of UTC, so that the windows of one instance
 * cannot overlap. A minute without a row was not measured.
 */
export const usageSamples = pgTable(
  "usage_samples",
  {
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    startedAt: at().notNull(),
    endedAt: at().notNull(),
    /** Null, as memory then is: no pod of it was measured, which is so while it is stopped. */
    cpuMillis: counter(),
    memoryBytes: bytes(),
    /** Room on disks that is set apart for it. */
    storageBytes: bytes().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.instanceId, t.endedAt] }),
    index("usage_samples_ended").on(t.endedAt),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "usage_samples_instance_fk",
    }),
    check(
      "usage_samples_minute",
      sql`extract(epoch from ${t.endedAt} - ${t.startedAt}) = 60 and extract(second from ${t.endedAt} at time zone 'UTC') = 0`,
    ),
    check("usage_samples_amounts", sql`${t.cpuMillis} >= 0 and ${t.memoryBytes} >= 0 and ${t.storageBytes} >= 0`),
    check("usage_samples_measured", sql`(${t.cpuMillis} is null) = (${t.memoryBytes} is null)`),
  ],
);

/** The samples of an hour of UTC in one row: what meters and charts of long ranges read. Always the sum of its samples. */
export const usageHours = pgTable(
  "usage_hours",
  {
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    hourAt: at().notNull(),
    /** So much of the hour was measured; 3,600 when nothing is missing. */
    coveredSeconds: integer().notNull(),
    cpuMilliSeconds: counter().notNull(),
    cpuMaxMillis: counter(),
    memoryByteSeconds: minor().notNull(),
    memoryMaxBytes: bytes(),
    storageCoveredSeconds: integer().notNull(),
    storageByteSeconds: minor().notNull(),
    storageMaxBytes: bytes().notNull(),
    /** What is charged of it stands in records. False again as soon as a sample is added. */
    isRated: boolean().notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.instanceId, t.hourAt] }),
    index("usage_hours_hour").on(t.hourAt),
    index("usage_hours_unrated")
      .on(t.hourAt)
      .where(sql`not ${t.isRated}`),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "usage_hours_instance_fk",
    }),
    check(
      "usage_hours_covered",
      sql`${t.coveredSeconds} between 0 and 3600 and ${t.storageCoveredSeconds} between ${t.coveredSeconds} and 3600`,
    ),
    check("usage_hours_measured", sql`(${t.coveredSeconds} = 0) = (${t.cpuMaxMillis} is null)`),
  ],
);

/** The hours of organizations on a test clock: made up from what the cluster measured while their time was moved. */
export const simulatedHours = pgTable(
  "simulated_hours",
  {
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    hourAt: at().notNull(),
    coveredSeconds: integer().notNull(),
    cpuMilliSeconds: counter().notNull(),
    memoryByteSeconds: minor().notNull(),
    storageByteSeconds: minor().notNull(),
    isRated: boolean().notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.instanceId, t.hourAt] }),
    index("simulated_hours_unrated")
      .on(t.organizationId, t.hourAt)
      .where(sql`not ${t.isRated}`),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "simulated_hours_instance_fk",
    }),
    check(
      "simulated_hours_amounts",
      sql`${t.coveredSeconds} between 0 and 3600 and ${t.cpuMilliSeconds} >= 0 and ${t.memoryByteSeconds} >= 0 and ${t.storageByteSeconds} >= 0`,
    ),
  ],
);

/** At which price use is charged from a moment on, until the next row of the subscription. */
export const usageTerms = pgTable(
  "usage_terms",
  {
    organizationId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    startsAt: at().notNull(),
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    /** What the blueprint says of its own meters for the chosen parameters, in millionths, as decimal text. */
    quantities: jsonb().$type<Readonly<Record<string, string>>>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.subscriptionId, t.startsAt] }),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "usage_terms_subscription_fk",
    }),
  ],
);

/** What of an hour is charged, by meter. An hour that grows gets a further revision; nothing is ever taken back. */
export const usageRecords = pgTable(
  "usage_records",
  {
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    meter: text().notNull(),
    hourAt: at().notNull(),
    revision: integer().notNull(),
    /** Base units of the meter, beyond the revisions before. */
    quantity: quantity().notNull(),
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    /** The period in which the hour began. */
    termNumber: integer().notNull(),
    periodIndex: integer().notNull(),
    /** The line that asks for it; null until there is one, and again when its invoice was voided. */
    invoiceLineId: uuid(),
    createdAt: insertedAt(),
  },
  (t) => [
    primaryKey({ columns: [t.instanceId, t.meter, t.hourAt, t.revision] }),
    index("usage_records_period").on(t.subscriptionId, t.termNumber, t.periodIndex),
    index("usage_records_hour").on(t.organizationId, t.subscriptionId, t.hourAt),
    index("usage_records_unbilled")
      .on(t.subscriptionId)
      .where(sql`${t.invoiceLineId} is null`),
    index("usage_records_line").on(t.organizationId, t.invoiceLineId),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "usage_records_instance_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "usage_records_subscription_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.invoiceLineId],
      foreignColumns: [invoiceLines.organizationId, invoiceLines.id],
      name: "usage_records_line_fk",
    }),
    check("usage_records_quantity", sql`${t.quantity} > 0 and ${t.revision} > 0`),
  ],
);

/** How much use may cost in a period, as its customer wants it. */
export const spendingLimits = pgTable(
  "spending_limits",
  {
    organizationId: uuid().notNull(),
    subscriptionId: uuid().primaryKey(),
    /** Minor units of the subscription's currency as decimal text, the smallest first: a mail is sent at each. */
    alertAmounts: jsonb().$type<readonly string[]>().notNull(),
    /** The app is stopped at it. */
    capMinor: minor(),
  },
  (t) => [
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "spending_limits_subscription_fk",
    }),
    check("spending_limits_cap", sql`${t.capMinor} >= 0`),
  ],
);
