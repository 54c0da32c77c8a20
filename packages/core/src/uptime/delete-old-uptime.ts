import { uptimeDays } from "@sewa/db/schema";
import { lt } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";

/** Longer than a year, so that the same month of the year before can be looked at. */
const keptDays = 400;

/** For the clean-up job. One row for each app and day: few enough for one statement. */
export async function deleteOldUptime(ctx: CoreContext): Promise<number> {
  const before = addMs(ctx.clock.now(), -keptDays * dayMs)
    .toISOString()
    .slice(0, 10);
  const { count } = await ctx.db.drizzle.delete(uptimeDays).where(lt(uptimeDays.day, before));
  return count;
}
