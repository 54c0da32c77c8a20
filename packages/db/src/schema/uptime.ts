import { sql } from "drizzle-orm";
import { boolean, check, date, foreignKey, index, integer, pgTable, primaryKey, uuid } from "drizzle-orm/pg-core";
import { at, counter } from "./columns.ts";
import { instances } from "./instances.ts";

/** The last probe of an instance, and what its failing has led to. Real time throughout. */
export const instanceProbes = pgTable(
  "instance_probes",
  {
    instanceId: uuid().primaryKey(),
    organizationId: uuid().notNull(),
    probedAt: at().notNull(),
    isAnswering: boolean().notNull(),
    /** The desired state that was probed: a change of it begins a new count. */
    generation: counter().notNull(),
    /** The first of the probes that failed since it last answered. */
    failingSince: at(),
    /** Set with the event `instance.wentDown`, taken away with `instance.cameBack`. */
    downSince: at(),
  },
  (t) => [
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "instance_probes_instance_fk",
    }),
    index("instance_probes_noticed")
      .on(t.instanceId)
      .where(sql`${t.failingSince} is not null or ${t.downSince} is not null`),
    check("instance_probes_failing", sql`${t.isAnswering} = (${t.failingSince} is null)`),
  ],
);

/** How long an instance answered on one day of its organization. What is in neither column was not probed. */
export const uptimeDays = pgTable(
  "uptime_days",
  {
    organizationId: uuid().notNull(),
    instanceId: uuid().notNull(),
    day: date({ mode: "string" }).notNull(),
    upSeconds: integer().notNull(),
    downSeconds: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.instanceId, t.day] }),
    index("uptime_days_day").on(t.day),
    foreignKey({
      columns: [t.organizationId, t.instanceId],
      foreignColumns: [instances.organizationId, instances.id],
      name: "uptime_days_instance_fk",
    }),
    check("uptime_days_seconds", sql`${t.upSeconds} >= 0 and ${t.downSeconds} >= 0`),
  ],
);
