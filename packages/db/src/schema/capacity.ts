import { sql } from "drizzle-orm";
import { boolean, check, foreignKey, index, integer, jsonb, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { at, bytes, counter, insertedAt } from "./columns.ts";
import { instances } from "./instances.ts";

/**
 * What a pool of machines can take and what is taken. `allocatable…` is the sum over its ready, schedulable workers,
 * `held…` the sum of the holds. A hold is taken by one conditional UPDATE of this row. `held` may be above the capacity
 * after a machine was lost: nothing is evicted then, but nothing new is taken either.
 */
export const nodePools = pgTable(
  "node_pools",
  {
    name: text().primaryKey(),
    allocatableCpuMillis: counter().notNull().default(0),
    allocatableMemoryBytes: bytes().notNull().default(0),
    /** Largest single machine: an instance must fit on one. */
    largestCpuMillis: counter().notNull().default(0),
    largestMemoryBytes: bytes().notNull().default(0),
    heldCpuMillis: counter().notNull().default(0),
    heldMemoryBytes: bytes().notNull().default(0),
    cpuReservePercent: integer().notNull(),
    memoryReservePercent: integer().notNull(),
  },
  (t) => [
    check("node_pools_held", sql`${t.heldCpuMillis} >= 0 and ${t.heldMemoryBytes} >= 0`),
    check(
      "node_pools_reserve",
      sql`${t.cpuReservePercent} between 0 and 99 and ${t.memoryReservePercent} between 0 and 99`,
    ),
  ],
);

export const nodes = pgTable(
  "nodes",
  {
    name: text().primaryKey(),
    role: text({ enum: ["control-plane", "worker"] }).notNull(),
    pool: text()
      .notNull()
      .references(() => nodePools.name),
    isReady: boolean().notNull(),
    isSchedulable: boolean().notNull(),
    /** What the operator asked for; the provisioner makes it so. Null: nobody asked. */
    desiredSchedulable: boolean(),
    allocatableCpuMillis: counter().notNull(),
    allocatableMemoryBytes: bytes().notNull(),
    conditions: jsonb().$type<readonly { type: string; status: string; reason: string | null }[]>().notNull(),
    firstSeenAt: insertedAt(),
    lastSeenAt: at().notNull(),
    /** Set when the machine is no longer listed by the cluster. */
    removedAt: at(),
  },
  (t) => [index("nodes_pool").on(t.pool)],
);

/** Room that is promised to an instance. The row and the pool's sums change in one transaction. */
export const capacityHolds = pgTable(
  "capacity_holds",
  {
    instanceId: uuid().primaryKey(),
    organizationId: uuid().notNull(),
    pool: text()
      .notNull()
      .references(() => nodePools.name),
    cpuMillis: counter().notNull(),
    memoryBytes: bytes().notNull(),
    /** For a change, and so perhaps more than the app is allowed to use once it is at rest. */
    isProvisional: boolean().notNull().default(false),
    createdAt: insertedAt(),
  },
  (t) => [
    index("capacity_holds_provisional")
      .on(t.instanceId)
      .where(sql`${t.isProvisional}`),
    unique("capacity_holds_instance_key").on(t.organizationId, t.instanceId),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "capacity_holds_instance_fk",
    }),
  ],
);
