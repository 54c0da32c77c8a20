import { pgTable, text } from "drizzle-orm/pg-core";
import { at, insertedAt } from "./columns.ts";

/** Heartbeats of worker processes, in database time. A silent pool loses its jobs to the others. */
export const workerPools = pgTable("worker_pools", {
  poolId: text().primaryKey(),
  state: text({ enum: ["running", "ended"] }).notNull(),
  host: text().notNull(),
  version: text().notNull(),
  /** Where its health, metrics and log relay answer. */
  internalUrl: text(),
  startedAt: insertedAt(),
  beatAt: at().notNull(),
});
