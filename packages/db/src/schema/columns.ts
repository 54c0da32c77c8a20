import { sql } from "drizzle-orm";
import { bigint, char, numeric, timestamp, uuid } from "drizzle-orm/pg-core";

/** Primary key: a UUID v7 that core hands in, so that ids sort by time and no default hides a forgotten one. */
export const id = () => uuid().primaryKey();

/** Milliseconds, like a JavaScript Date: what was written is what is read back. */
export const at = () => timestamp({ withTimezone: true, mode: "date", precision: 3 });

/** Real time of the insert. Business time is always handed in. */
export const insertedAt = () =>
  at()
    .notNull()
    .default(sql`now()`);

/** Minor units of the currency in the column beside it. */
export const minor = () => bigint({ mode: "bigint" });

/** Base units of a meter. A period of one large disk in byte-seconds is more than a bigint of PostgreSQL holds. */
export const quantity = () => numeric({ mode: "bigint", precision: 38, scale: 0 });

/** ISO 4217 code. */
export const currencyCode = () => char({ length: 3 });

export const bytes = () => bigint({ mode: "number" });
export const counter = () => bigint({ mode: "number" });
