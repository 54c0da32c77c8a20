import { databaseErrorOf, type Transaction } from "@sewa/db";
import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";

/**
 * Looks, and writes down what was found, in one picture of the database: an older picture must not bring back what a newer one
 * has seen repaired. Null when the other one takes longer than the lock time-out.
 */
export async function oneAtATime<T>(ctx: CoreContext, look: (tx: Transaction) => Promise<T>): Promise<T | null> {
  try {
    return await ctx.picture(async (tx) => {
      // Takes no picture yet: the first query after it does.
      await tx.execute(sql`lock table books_findings in share row exclusive mode`);
      return look(tx);
    }, "read write");
  } catch (error) {
    if (databaseErrorOf(error)?.code === "55P03") return null;
    throw error;
  }
}
