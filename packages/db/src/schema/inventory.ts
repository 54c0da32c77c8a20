import { sql } from "drizzle-orm";
import { boolean, check, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, bytes, counter, currencyCode, id, insertedAt, minor } from "./columns.ts";

/** One look at everything: rows against cluster. The house's own; real time throughout. */
export const inventoryAudits = pgTable(
  "inventory_audits",
  {
    id: id(),
    status: text({ enum: ["queued", "running", "finished", "failed"] }).notNull(),
    requestedBy: text().notNull(),
    requestedAt: at().notNull(),
    /** The pool that makes it. */
    holder: text(),
    startedAt: at(),
    finishedAt: at(),
    /** Everything could be read. Only then is anything resolved or deleted. */
    isWhole: boolean(),
    /** What could not be read. */
    unread: jsonb().$type<readonly string[]>().notNull().default([]),
    objects: integer().notNull().default(0),
    instances: integer().notNull().default(0),
    /** Instances in flux, of which it could say nothing. */
    unjudged: integer().notNull().default(0),
    findings: integer().notNull().default(0),
    resolved: integer().notNull().default(0),
    repaired: integer().notNull().default(0),
    deleted: integer().notNull().default(0),
  },
  (t) => [
    // One waits at most, and one runs: who asks meanwhile gets the one that waits.
    uniqueIndex("inventory_audits_queued_key")
      .on(t.status)
      .where(sql`${t.status} = 'queued'`),
    uniqueIndex("inventory_audits_running_key")
      .on(t.status)
      .where(sql`${t.status} = 'running'`),
    check("inventory_audits_finished", sql`(${t.status} in ('finished', 'failed')) = (${t.finishedAt} is not null)`),
    check("inventory_audits_whole", sql`(${t.status} = 'finished') = (${t.isWhole} is not null)`),
  ],
);

/**
 * One disagreement between rows and cluster, for as long as it stands. The house's own: an orphan's organization is what
 * its labels say, which may be nobody, so there is no foreign key.
 */
export const inventoryFindings = pgTable(
  "inventory_findings",
  {
    id: id(),
    /** Kind, object and uid: the same while it stands. */
    identity: text().notNull(),
    kind: text().notNull(),
    severity: text({ enum: ["critical", "warning", "info"] }).notNull(),
    subjectKind: text().notNull(),
    subjectNamespace: text(),
    subjectName: text().notNull(),
    subjectUid: text(),
    organizationId: uuid(),
    subscriptionId: uuid(),
    instanceId: uuid(),
    details: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Price of a day of the instance; null when nobody can say. */
    costMinor: minor(),
    currency: currencyCode(),
    requestedCpuMillis: counter(),
    requestedMemoryBytes: bytes(),
    requestedStorageBytes: bytes(),
    firstSeenAt: at().notNull(),
    lastSeenAt: at().notNull(),
    /** Whole looks that saw it, far enough apart to count, and the last of them. */
    sightings: integer().notNull(),
    sightedAt: at().notNull(),
    /** Since when people are told: at once, for an orphan once it has stood for a while. */
    reportedAt: at(),
    resolvedAt: at(),
    action: text({ enum: ["none", "repaired", "deleted", "kept_for_data"] }).notNull(),
    actedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    uniqueIndex("inventory_findings_open_key")
      .on(t.identity)
      .where(sql`${t.resolvedAt} is null`),
    index("inventory_findings_resolved")
      .on(t.resolvedAt)
      .where(sql`${t.resolvedAt} is not null`),
    check("inventory_findings_cost", sql`(${t.costMinor} is null) = (${t.currency} is null)`),
    check("inventory_findings_sightings", sql`${t.sightings} >= 0`),
    check("inventory_findings_acted", sql`(${t.action} = 'none') = (${t.actedAt} is null)`),
  ],
);
