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
import { offerings, plans, prices } from "./catalog.ts";
import { at, currencyCode, id, insertedAt, minor } from "./columns.ts";

/** What a period costs, in parts. Amounts are minor units of the subscription's currency, as decimal text because JSON has no such numbers. */
export interface PricedItem {
  readonly kind: "plan" | "parameter" | "addon";
  readonly description: string;
  readonly quantity: number;
  readonly unitAmountMinor: string;
  /** Of an add-on: which one, and the price at which these were taken. */
  readonly addon?: { readonly slug: string; readonly priceId: string };
}

/** What is rented from the next period on, and for how much. */
export interface NextTerms {
  readonly planId: string;
  readonly priceId: string;
  readonly items: readonly PricedItem[];
  readonly gracePeriodDays: number;
  readonly pastDueDays: number;
}

export const subscriptions = pgTable(
  "subscriptions",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    status: text({ enum: ["pending", "active", "past_due", "expired", "cancelled"] }).notNull(),
    /** Terms of the rent, as they were when it was ordered. */
    currency: currencyCode().notNull(),
    amountMinor: minor().notNull(),
    /** The price whose trial it was ordered with; at another one there is none. Null: ordered without. */
    trialPriceId: uuid().references(() => prices.id),
    /** The parts of the amount; each period's invoice has a line for each. */
    items: jsonb().$type<readonly PricedItem[]>().notNull(),
    interval: text({ enum: ["P30D", "P1M"] }).notNull(),
    timeZone: text().notNull(),
    gracePeriodDays: integer().notNull(),
    pastDueDays: integer().notNull(),
    /** 0 until the first payment; each payment after an expiry opens the next term. */
    termNumber: integer().notNull().default(0),
    /** Periods of the term are computed from here: anchor + n x interval. */
    billingAnchorAt: at(),
    /** Index of the current period in its term. */
    periodIndex: integer().notNull().default(0),
    currentPeriodStart: at(),
    currentPeriodEnd: at(),
    cancelAtPeriodEnd: boolean().notNull().default(false),
    /** Terms are on trial while a change of the app is carried out: the next period is not asked for until they stand. */
    isChanging: boolean().notNull().default(false),
    /** Of a change of plan that begins with the next period; null when there is none. */
    nextTerms: jsonb().$type<NextTerms>(),
    /** The plan began with a period, and the app has yet to take its shape. Real time at which that is tried (again). */
    reshapeDueAt: at(),
    activatedAt: at(),
    pastDueAt: at(),
    expiredAt: at(),
    graceEndsAt: at(),
    cancelledAt: at(),
    cancelReason: text({ enum: ["customer", "order_expired", "provisioning_failed", "grace_over", "operator"] }),
    /** The cluster has confirmed that nothing is left. */
    purgedAt: at(),
    /** Use has cost as much as its customer allows for a period: the app is stopped until more is allowed or the next one begins. */
    cappedAt: at(),
    /** Of a cancelled one: when it is asked for what was used, and afterwards when that is given up. Null: all is settled. */
    closingDueAt: at(),
    /** When time alone changes something next; null when it never will. What the sweep looks at. */
    nextDueAt: at(),
    orderedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("subscriptions_organization_key").on(t.organizationId, t.id),
    index("subscriptions_list").on(t.organizationId, t.id),
    index("subscriptions_due")
      .on(t.nextDueAt)
      .where(sql`${t.nextDueAt} is not null`),
    index("subscriptions_reshape")
      .on(t.reshapeDueAt)
      .where(sql`${t.reshapeDueAt} is not null`),
    // What is late shows without asking what should have made it punctual.
    index("subscriptions_running")
      .on(t.currentPeriodEnd)
      .where(sql`${t.status} = 'active'`),
    index("subscriptions_unpurged")
      .on(t.cancelledAt)
      .where(sql`${t.status} = 'cancelled' and ${t.purgedAt} is null`),
    check("subscriptions_amount", sql`${t.amountMinor} >= 0`),
    check(
      "subscriptions_period",
      sql`${t.status} not in ('active', 'past_due') or (${t.billingAnchorAt} is not null and ${t.currentPeriodStart} < ${t.currentPeriodEnd})`,
    ),
    // Anything but a running term has no next period whose terms could be other ones.
    check("subscriptions_next_terms", sql`${t.nextTerms} is null or ${t.status} in ('active', 'past_due')`),
    check(
      "subscriptions_expired",
      sql`${t.status} <> 'expired' or (${t.expiredAt} is not null and ${t.graceEndsAt} is not null)`,
    ),
    check(
      "subscriptions_cancelled",
      sql`(${t.status} = 'cancelled') = (${t.cancelledAt} is not null and ${t.cancelReason} is not null)`,
    ),
    check("subscriptions_closing", sql`${t.closingDueAt} is null or ${t.status} = 'cancelled'`),
    check("subscriptions_purged", sql`${t.purgedAt} is null or ${t.status} = 'cancelled'`),
  ],
);

/** What a person has once for each app, as far as different spellings of one address can be told. */
function oncePerPerson<Name extends string>(name: Name) {
  return pgTable(
    name,
    {
      id: id(),
      organizationId: uuid().notNull(),
      offeringId: uuid()
        .notNull()
        .references(() => offerings.id),
      subscriptionId: uuid().notNull(),
      /** Of the owner's address, without what comes after a plus, and so on. */
      emailHash: text().notNull(),
      takenAt: at().notNull(),
      /** It can be had again. */
      returnedAt: at(),
      createdAt: insertedAt(),
    },
    (t) => [
      uniqueIndex(`${name}_organization_key`)
        .on(t.organizationId, t.offeringId)
        .where(sql`${t.returnedAt} is null`),
      uniqueIndex(`${name}_email_key`)
        .on(t.emailHash, t.offeringId)
        .where(sql`${t.returnedAt} is null`),
      index(`${name}_subscription`).on(t.organizationId, t.subscriptionId),
      foreignKey({
        columns: [t.organizationId, t.subscriptionId],
        foreignColumns: [subscriptions.organizationId, subscriptions.id],
        name: `${name}_subscription_fk`,
      }),
    ],
  );
}

/** Who had the trial of which app: given back where nobody got anything of it. */
export const trials = oncePerPerson("trials");

/** Who has a plan of which there is one per person, for which app: given back when its subscription is cancelled. */
export const freePlaces = oncePerPerson("free_places");

export const orders = pgTable(
  "orders",
  {
    id: id(),
    organizationId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    parameters: jsonb().$type<Record<string, unknown>>().notNull(),
    /** How many of each add-on, by its slug. */
    addons: jsonb().$type<Record<string, number>>().notNull().default({}),
    currency: currencyCode().notNull(),
    /** With its taxes. */
    totalMinor: minor().notNull(),
    taxMinor: minor()
      .notNull()
      .default(sql`0`),
    placedBy: text().notNull(),
    placedAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("orders_organization_key").on(t.organizationId, t.id),
    unique("orders_subscription_key").on(t.organizationId, t.subscriptionId),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "orders_subscription_fk",
    }),
  ],
);
