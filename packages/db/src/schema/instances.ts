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
import { blueprintVersions, plans } from "./catalog.ts";
import { at, counter, id, insertedAt } from "./columns.ts";
import { subscriptions } from "./subscriptions.ts";

export const instances = pgTable(
  "instances",
  {
    id: id(),
    organizationId: uuid().notNull(),
    subscriptionId: uuid().notNull(),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    blueprintVersionId: uuid()
      .notNull()
      .references(() => blueprintVersions.id),
    name: text().notNull(),
    /** One label under the apps domain. Never given out twice. */
    host: text().notNull(),
    parameters: jsonb().$type<Record<string, unknown>>().notNull(),
    /** How many of each add-on of its plan, by its slug; what they add is in the limits. */
    addons: jsonb().$type<Record<string, number>>().notNull().default({}),
    limits: jsonb()
      .$type<{
        cpuRequestMillis: number;
        cpuLimitMillis: number;
        memoryRequestBytes: number;
        memoryLimitBytes: number;
        storageBytes: number;
      }>()
      .notNull(),
    nodePool: text().notNull(),

    desiredPhase: text({ enum: ["running", "stopped", "absent"] }).notNull(),
    /** What start and stop last said; outlives expiry and renewal. */
    requestedPhase: text({ enum: ["running", "stopped"] }).notNull(),
    generation: counter().notNull().default(1),
    restartRequestedAt: at(),
    /** Set while desired is stopped or absent for good reasons of money: the room is given back once the pods are gone. */
    releasesCapacity: boolean().notNull().default(false),

    existence: text({ enum: ["absent", "unknown", "present"] })
      .notNull()
      .default("unknown"),
    observedPhase: text({
      enum: ["unknown", "provisioning", "running", "degraded", "stopped", "failed", "deleting", "absent"],
    })
      .notNull()
      .default("unknown"),
    observedGeneration: counter().notNull().default(0),
    reason: text(),
    message: text(),
    pods: jsonb().$type<readonly Record<string, unknown>[]>().notNull().default([]),
    conditions: jsonb().$type<readonly Record<string, unknown>[]>().notNull().default([]),
    nodeName: text(),
    ownerClaimedAt: at(),
    observedAt: at(),
    /** False while desired and observed differ: what the sweep looks at. */
    isSettled: boolean().notNull().default(true),
    /** Since when they have differed, in real time; null while they do not. A new wish counts from its own moment. */
    unsettledAt: at(),

    /** First time that everything was up. */
    readyAt: at(),
    /** The first provisioning has failed for good. */
    provisioningFailedAt: at(),
    /** The cluster has confirmed that nothing is left. */
    removedAt: at(),
    /** Raised by every change that a customer can see. */
    revision: counter().notNull().default(1),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("instances_organization_key").on(t.organizationId, t.id),
    unique("instances_subscription_key").on(t.organizationId, t.subscriptionId),
    uniqueIndex("instances_host_key").on(t.host),
    index("instances_unsettled")
      .on(t.id)
      .where(sql`not ${t.isSettled}`),
    index("instances_not_provisioned")
      .on(t.subscriptionId)
      .where(sql`${t.provisioningFailedAt} is not null and ${t.removedAt} is null`),
    index("instances_resync")
      .on(t.observedAt)
      .where(sql`${t.isSettled} and ${t.desiredPhase} <> 'absent'`),
    foreignKey({
      columns: [t.organizationId, t.subscriptionId],
      foreignColumns: [subscriptions.organizationId, subscriptions.id],
      name: "instances_subscription_fk",
    }),
    check("instances_generation", sql`${t.observedGeneration} <= ${t.generation}`),
  ],
);

/** All secrets of an instance, sealed as one; generated once, before the first apply. */
export const instanceSecrets = pgTable(
  "instance_secrets",
  {
    instanceId: uuid().primaryKey(),
    organizationId: uuid().notNull(),
    keyId: text().notNull(),
    sealed: text().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "instance_secrets_instance_fk",
    }),
  ],
);

/** Who is working on an instance. Real time; every write of the holder names the epoch. */
export const instanceLeases = pgTable(
  "instance_leases",
  {
    instanceId: uuid().primaryKey(),
    organizationId: uuid().notNull(),
    holder: text().notNull(),
    epoch: counter().notNull(),
    leasedUntil: at().notNull(),
  },
  (t) => [
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "instance_leases_instance_fk",
    }),
  ],
);

/** Reasons to keep an instance stopped whatever its customer asks for. */
export const instanceHolds = pgTable(
  "instance_holds",
  {
    id: id(),
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    kind: text({ enum: ["operator", "abuse", "books"] }).notNull(),
    /** Why, for the house. */
    reason: text().notNull(),
    /** What the customer is told, in the operator's words; null where the kind says enough. */
    message: text(),
    placedBy: text().notNull(),
    placedAt: at().notNull(),
    liftedAt: at(),
  },
  (t) => [
    uniqueIndex("instance_holds_standing_key")
      .on(t.instanceId, t.kind)
      .where(sql`${t.liftedAt} is null`),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "instance_holds_instance_fk",
    }),
  ],
);

export const operations = pgTable(
  "operations",
  {
    id: id(),
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    kind: text({
      enum: ["provision", "start", "stop", "restart", "resize", "update", "upgrade", "deprovision"],
    }).notNull(),
    status: text({ enum: ["queued", "running", "succeeded", "failed", "cancelled"] }).notNull(),
    /** Ordered plan with the state of each step. */
    steps: jsonb()
      .$type<readonly { key: string; status: string; startedAt: string | null; finishedAt: string | null }[]>()
      .notNull(),
    attempt: integer().notNull().default(0),
    maxAttempts: integer().notNull(),
    /** The generation that this operation brings about. */
    generation: counter().notNull(),
    reason: text(),
    message: text(),
    requestedBy: text().notNull(),
    requestId: text(),
    /** Real time, as are the others here: the world does not run on a test clock. */
    deadlineAt: at().notNull(),
    startedAt: at(),
    finishedAt: at(),
    createdAt: at().notNull(),
  },
  (t) => [
    unique("operations_organization_key").on(t.organizationId, t.id),
    index("operations_instance").on(t.organizationId, t.instanceId, t.id),
    uniqueIndex("operations_open_key")
      .on(t.instanceId)
      .where(sql`${t.status} in ('queued', 'running')`),
    index("operations_deadline")
      .on(t.deadlineAt)
      .where(sql`${t.status} in ('queued', 'running')`),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "operations_instance_fk",
    }),
    check(
      "operations_finished",
      sql`(${t.status} in ('succeeded', 'failed', 'cancelled')) = (${t.finishedAt} is not null)`,
    ),
  ],
);
