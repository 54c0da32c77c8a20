import { sql } from "drizzle-orm";
import { boolean, check, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
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
  /** Number and chained hash of the organization's last audit entry; a trigger writes them. */
  auditSequence: counter().notNull().default(0),
  auditChain: text().notNull().default(""),
});

/** The same for what operators do to the house. One row, made by the migration; a trigger alone writes it. */
export const houseHead = pgTable(
  "house_head",
  {
    isOnly: boolean().primaryKey().default(true),
    auditSequence: counter().notNull().default(0),
    auditChain: text().notNull().default(""),
  },
  (t) => [check("house_head_is_only", sql`${t.isOnly}`)],
);

/**
 * What makes an audit entry a link of its chain; a trigger fills all of it in. The chain holds the digests of what may have
 * to be forgotten, each over a salt that goes with it: an erased part cannot be guessed from its digest, and the chain holds.
 */
const auditLink = () => ({
  sequence: counter().notNull().default(0),
  /** Where it came from: personal. */
  clientAddress: text(),
  userAgent: text(),
  clientSalt: text(),
  clientDigest: text().notNull().default(""),
  /** Over `before`, `after` and `reason`. */
  detailsSalt: text(),
  detailsDigest: text().notNull().default(""),
  /** SHA-256 over what the row says and the two digests. */
  digest: text().notNull().default(""),
  /** SHA-256 over the chain of the entry before and this digest. */
  chain: text().notNull().default(""),
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
    ...auditLink(),
  },
  (t) => [
    uniqueIndex("audit_entries_sequence_key").on(t.organizationId, t.sequence),
    index("audit_entries_actor").on(t.actor, t.id),
    index("audit_entries_action").on(t.action, t.id),
  ],
);

/** What operators did to things that belong to no customer: catalog, nodes, jobs. Append-only by grant. */
export const operatorAuditEntries = pgTable(
  "operator_audit_entries",
  {
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
    ...auditLink(),
  },
  (t) => [uniqueIndex("operator_audit_entries_sequence_key").on(t.sequence)],
);

/**
 * How far a chain was found true, signed with a key that is not in the database: who rewrites the chain and its head from
 * there back is found out. Without an organization it is the house's.
 */
export const auditCheckpoints = pgTable(
  "audit_checkpoints",
  {
    id: id(),
    organizationId: uuid().references(() => organizations.id),
    /** `start`: what is older may be gone. `latest`: as far as the last look came. */
    kind: text({ enum: ["start", "latest"] }).notNull(),
    sequence: counter().notNull(),
    chain: text().notNull(),
    keyId: text().notNull(),
    signature: text().notNull(),
    signedAt: at().notNull(),
  },
  (t) => [
    uniqueIndex("audit_checkpoints_key").on(
      sql`coalesce(${t.organizationId}, '00000000-0000-0000-0000-000000000000')`,
      t.kind,
    ),
  ],
);

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
