import { index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { organizations } from "./accounts.ts";
import { at, counter, id, insertedAt } from "./columns.ts";

/** The last row that a transaction of the organization updates: that makes its event numbers gapless. */
export const organizationHeads = pgTable("organization_heads", {
  organizationId: uuid()
    .primaryKey()
    .references(() => organizations.id),
  sequence: counter().notNull().default(0),
  /** Number and chained hash of the organization's last ledger transaction. */
  ledgerSequence: counter().notNull().default(0),
  ledgerChain: text().notNull().default(""),
});

/** Append-only by grant. */
export const events = pgTable(
  "events",
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    sequence: counter().notNull(),
    id: uuid().notNull(),
    type: text().notNull(),
    orderId: uuid(),
    subscriptionId: uuid(),
    instanceId: uuid(),
    actor: text().notNull(),
    data: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Business time: the organization's clock. */
    occurredAt: at().notNull(),
    recordedAt: insertedAt(),
  },
  (t) => [
    primaryKey({ columns: [t.organizationId, t.sequence] }),
    uniqueIndex("events_id_key").on(t.id),
    index("events_instance").on(t.organizationId, t.instanceId, t.sequence),
  ],
);

/** Who did what, with the state before and after. Append-only by grant. */
export const auditEntries = pgTable(
  "audit_entries",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    action: text().notNull(),
    actor: text().notNull(),
    subjectType: text(),
    subjectId: text(),
    requestId: text(),
    before: jsonb().$type<unknown>(),
    after: jsonb().$type<unknown>(),
    reason: text(),
    occurredAt: at().notNull(),
    recordedAt: insertedAt(),
  },
  (t) => [index("audit_entries_organization").on(t.organizationId, t.id)],
);

/** What operators did to things that belong to no customer: catalog, nodes, jobs. Append-only by grant. */
export const operatorAuditEntries = pgTable("operator_audit_entries", {
  id: id(),
  action: text().notNull(),
  actor: text().notNull(),
  subjectType: text(),
  subjectId: text(),
  requestId: text(),
  before: jsonb().$type<unknown>(),
  after: jsonb().$type<unknown>(),
  reason: text(),
  recordedAt: insertedAt(),
});

export const idempotencyRecords = pgTable(
  "idempotency_records",
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    key: text().notNull(),
    procedure: text().notNull(),
    /** SHA-256 of the input: the same key with another input is refused. */
    inputHash: text().notNull(),
    /** What the first call answered; written before its transaction commits. */
    response: jsonb().$type<unknown>(),
    expiresAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.key] }), index("idempotency_records_expiry").on(t.expiresAt)],
);
