import { sql } from "drizzle-orm";
import { check, foreignKey, index, integer, pgTable, primaryKey, uuid } from "drizzle-orm/pg-core";
import { at, bytes, counter, minor } from "./columns.ts";
import { instances } from "./instances.ts";

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
  },
  (t) => [
    primaryKey({ columns: [t.instanceId, t.hourAt] }),
    index("usage_hours_hour").on(t.hourAt),
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
