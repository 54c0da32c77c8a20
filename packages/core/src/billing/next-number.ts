import { invoiceCounters } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { localDay } from "../periods.ts";

/** The counter's row stays locked until the commit, so a rolled-back invoice or credit note leaves no gap. */
export async function nextNumber(tx: Tx, series: string): Promise<number> {
  const [row] = await tx.sql
    .insert(invoiceCounters)
    .values({ series, lastNumber: 1 })
    .onConflictDoUpdate({ target: invoiceCounters.series, set: { lastNumber: sql`${invoiceCounters.lastNumber} + 1` } })
    .returning({ number: invoiceCounters.lastNumber });
  assert(row !== undefined, "the counter answers");
  return row.number;
}

/** In which a series counts: on the calendar of the house, as its reports do. */
export function yearOf({ now, ctx }: Tx): string {
  return localDay(now, ctx.config.timeZone).slice(0, 4);
}
