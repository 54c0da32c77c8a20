import { idempotencyRecords } from "@sewa/db/schema";
import { lt } from "drizzle-orm";
import type { CoreContext } from "../context.ts";

/** Forgets answers that are older than their 48 hours. Returns how many. */
export async function deleteExpiredRecords(ctx: CoreContext): Promise<number> {
  const deleted = await ctx.db.drizzle
    .delete(idempotencyRecords)
    .where(lt(idempotencyRecords.expiresAt, ctx.clock.now()))
    .returning({ key: idempotencyRecords.key });
  return deleted.length;
}
