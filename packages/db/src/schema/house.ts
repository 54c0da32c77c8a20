import { sql } from "drizzle-orm";
import { boolean, check, pgTable, uuid } from "drizzle-orm/pg-core";

/** One row, made by the migration: which installation this database is. Its objects in the cluster carry the id. */
export const house = pgTable("house", { isOnly: boolean().primaryKey().default(true), id: uuid().notNull() }, (t) => [
  check("house_is_only", sql`${t.isOnly}`),
]);
