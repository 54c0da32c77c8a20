import { subscriptions } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { getOrganization } from "../accounts/index.ts";
import { unitQuantityOf } from "../catalog/index.ts";
import { dayMs } from "../clock.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { addDays, dayPeriod, localDay } from "../periods.ts";
import { authorize } from "../permissions.ts";
import { listUsageOfDays, type UsageOfDay } from "../usage/index.ts";

export const maxHistoryDays = 100;
const usualDays = 30;

export interface UsageHistory {
  readonly subscriptionId: string;
  readonly timeZone: string;
  /** Both belong to it. */
  readonly from: string;
  readonly to: string;
  /** Oldest first; a day on which nothing was recorded is not in it. */
  readonly days: readonly (UsageOfDay & { readonly unitQuantity: bigint })[];
}

/** What was recorded, by day and meter, on the wall clock of the organization. The last thirty days unless told; at most a hundred. */
export async function getUsageHistory(
  ctx: CoreContext,
  input: { readonly subscriptionId: string; readonly from?: string | undefined; readonly to?: string | undefined },
): Promise<UsageHistory> {
  authorize(ctx.actor, "usage.read");
  const { subscriptionId } = input;
  return ctx.transaction(async (tx) => {
    const own = and(eq(subscriptions.organizationId, organizationOf(tx)), eq(subscriptions.id, subscriptionId));
    if ((await tx.sql.$count(subscriptions, own)) === 0) throw notFound("subscription");
    const { timeZone } = await getOrganization(tx);
    const to = input.to ?? localDay(tx.now, timeZone);
    const from = input.from ?? localDay(addDays(startOf(to, timeZone), 1 - usualDays, timeZone), timeZone);
    const start = startOf(from, timeZone);
    const { end } = dayPeriod(to, timeZone);
    // A day of an hour more or less, where clocks are changed, is a day all the same.
    const count = Math.round((end.getTime() - start.getTime()) / dayMs);
    if (count < 1 || count > maxHistoryDays) {
      throw new DomainError("INVALID_INPUT", `Ask for 1 to ${maxHistoryDays} days.`, {
        issues: [{ path: "from", message: `Has to be at most ${maxHistoryDays} days before the last one.` }],
      });
    }
    const rows = await listUsageOfDays(tx, { subscriptionId, start, end, timeZone });
    const days = rows.map((row) => ({ ...row, unitQuantity: unitQuantityOf(row.meter) }));
    return { subscriptionId, timeZone, from, to, days };
  });
}

function startOf(day: string, timeZone: string): Date {
  return dayPeriod(day, timeZone).start;
}
