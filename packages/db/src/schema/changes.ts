import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { invoices } from "./billing.ts";
import { at, currencyCode, id, insertedAt, minor } from "./columns.ts";
import { instances, operations } from "./instances.ts";
import { subscriptions } from "./subscriptions.ts";

/** A change of an app that is planned, approved and carried out. What was planned is frozen (a trigger in the migration). */
export const instanceChanges = pgTable(
  "instance_changes",
  {
    id: id(),
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    kind: text({ enum: ["resize", "update", "upgrade", "deprovision"] }).notNull(),
    status: text({
      enum: [
        "planning",
        "planned",
        "awaiting_payment",
        "approved",
        "executing",
        "executed",
        "failed",
        "refused",
        "expired",
      ],
    }).notNull(),
    /** What was asked for: the plan, or the parameters. */
    request: jsonb().$type<unknown>().notNull(),
    /** Shape of the app before and after; `after` is null for a removal. */
    shapeBefore: jsonb().$type<unknown>().notNull(),
    shapeAfter: jsonb().$type<unknown>(),
    /** The volumes keep their size, because the cluster's storage cannot grow. */
    keepsStorage: boolean().notNull().default(false),
    /** Its owner has agreed to it before it was planned: it is approved as soon as a worker has looked. */
    approvesItself: boolean().notNull().default(false),
    currency: currencyCode().notNull(),
    amountBeforeMinor: minor().notNull(),
    amountAfterMinor: minor().notNull(),
    /** For the rest of the running period; nothing is given back for it. */
    dueMinor: minor().notNull(),
    /** Added to that: taxes which prices do not contain. */
    addedTaxMinor: minor()
      .notNull()
      .default(sql`0`),
    /** What a worker saw: objects, data, refusals. Null while it has not looked. */
    effects: jsonb().$type<unknown>(),
    /** SHA-256 of what the database said; of what the cluster said; of both and of all that its owner was shown. */
    factsHash: text().notNull(),
    worldHash: text(),
    hash: text(),
    reason: text(),
    invoiceId: uuid(),
    operationId: uuid(),
    requestedBy: text().notNull(),
    approvedBy: text(),
    requestId: text(),
    /** The moment for which money was computed. Business time, as are `expiresAt` and `approvedAt`. */
    plannedAt: at().notNull(),
    /** A plan that nobody approved and a change that nobody paid end here. */
    expiresAt: at().notNull(),
    approvedAt: at(),
    /** Until when a worker has to have looked. Real time: the cluster does not live on a test clock. */
    deadlineAt: at().notNull(),
    endedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("instance_changes_organization_key").on(t.organizationId, t.id),
    unique("instance_changes_invoice_key").on(t.invoiceId),
    // Plans may stand beside each other; only one of them can be under way.
    uniqueIndex("instance_changes_under_way_key")
      .on(t.instanceId)
      .where(sql`${t.status} in ('awaiting_payment', 'approved', 'executing')`),
    index("instance_changes_instance").on(t.organizationId, t.instanceId, t.id),
    index("instance_changes_terms")
      .on(t.subscriptionId, t.approvedAt)
      .where(sql`${t.status} in ('executing', 'executed')`),
    index("instance_changes_open")
      .on(t.id)
      .where(sql`${t.status} in ('planning', 'planned', 'awaiting_payment', 'approved', 'executing')`),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "instance_changes_instance_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "instance_changes_subscription_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.invoiceId],
      foreignColumns: [invoices.organizationId, invoices.id],
      name: "instance_changes_invoice_fk",
    }),
    foreignKey({
      columns: [t.organizationId, t.operationId],
      foreignColumns: [operations.organizationId, operations.id],
      name: "instance_changes_operation_fk",
    }),
    check(
      "instance_changes_amounts",
      sql`${t.amountBeforeMinor} >= 0 and ${t.amountAfterMinor} >= 0 and ${t.dueMinor} >= 0 and ${t.addedTaxMinor} >= 0 and (${t.dueMinor} = 0 or ${t.amountAfterMinor} > ${t.amountBeforeMinor})`,
    ),
    check(
      "instance_changes_planned",
      sql`${t.status} not in ('planned', 'awaiting_payment', 'approved', 'executing', 'executed') or (${t.hash} is not null and ${t.worldHash} is not null and ${t.effects} is not null)`,
    ),
    check(
      "instance_changes_ended",
      sql`(${t.status} in ('executed', 'failed', 'refused', 'expired')) = (${t.endedAt} is not null)`,
    ),
    check("instance_changes_removal", sql`(${t.kind} = 'deprovision') = (${t.shapeAfter} is null)`),
  ],
);
