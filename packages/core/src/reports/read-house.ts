import type { Transaction } from "@sewa/db";
import { type SQL, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";

/** One picture of the database, in which nothing can be written. Figures that are asked for together fit together. */
export async function readHouse<T>(ctx: CoreContext, work: (reader: Transaction) => Promise<T>): Promise<T> {
  authorize(ctx.actor, "admin.revenue.read");
  return ctx.picture(work);
}

/** Organizations on a test clock play with money; none of it is the house's. */
export function isOfTheHouse(organizationId: SQL): SQL {
  return sql`not exists (select 1 from test_clocks c where c.organization_id = ${organizationId})`;
}

/** Raw statements take times as text. */
export function moment(at: Date): SQL {
  return sql`${at.toISOString()}::timestamptz`;
}
