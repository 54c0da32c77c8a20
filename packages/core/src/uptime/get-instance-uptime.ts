import { uptimeDays } from "@sewa/db/schema";
import { and, between, eq } from "drizzle-orm";
import { getOrganization } from "../accounts/index.ts";
import { secondMs } from "../clock.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { getInstanceRow } from "../instances/index.ts";
import { addDays, dayPeriod, localDay } from "../periods.ts";
import { authorize } from "../permissions.ts";

/** Share of the probed time in which an app should answer, in thousandths. */
const targetPermille = 995;
export const maxUptimeDays = 90;

export interface UptimeDay {
  /** On the wall clock of the organization, as `2026-03-02`. */
  readonly day: string;
  readonly upSeconds: number;
  readonly downSeconds: number;
  /** Of the part of the day that is over: not probed, because nobody did or because it was not meant to answer. */
  readonly unknownSeconds: number;
  /** Up by up and down; null where nothing was probed. */
  readonly ratio: number | null;
}

export interface InstanceUptime {
  readonly timeZone: string;
  /** Oldest first; the last one is today. */
  readonly days: readonly UptimeDay[];
  readonly ratio: number | null;
  readonly targetRatio: number;
  /** Null where nothing was probed. */
  readonly isWithinTarget: boolean | null;
}

/** How long an app answered, day by day. Real time, also where the organization lives on a test clock. */
export async function getInstanceUptime(
  ctx: CoreContext,
  input: { readonly instanceId: string; readonly days: number },
): Promise<InstanceUptime> {
  authorize(ctx.actor, "instance.read");
  const now = ctx.clock.now();
  return ctx.transaction(async (tx) => {
    const { id } = await getInstanceRow(tx, input.instanceId);
    const { timeZone } = await getOrganization(tx);
    const names = Array.from({ length: input.days }, (_, index) =>
      localDay(addDays(now, index - input.days + 1, timeZone), timeZone),
    );
    const [first = "", last = ""] = [names[0], names.at(-1)];
    const rows = await tx.sql
      .select({ day: uptimeDays.day, upSeconds: uptimeDays.upSeconds, downSeconds: uptimeDays.downSeconds })
      .from(uptimeDays)
      .where(
        and(
          eq(uptimeDays.organizationId, organizationOf(tx)),
          eq(uptimeDays.instanceId, id),
          between(uptimeDays.day, first, last),
        ),
      );
    const probed = new Map(rows.map((row) => [row.day, row]));
    const days = names.map((day) => toDay(day, timeZone, now, probed.get(day)));
    return { timeZone, days, ...judge(days) };
  });
}

function toDay(
  day: string,
  timeZone: string,
  now: Date,
  probed: Pick<UptimeDay, "upSeconds" | "downSeconds"> | undefined,
): UptimeDay {
  const { start, end } = dayPeriod(day, timeZone);
  const pastMs = Math.min(end.getTime(), now.getTime()) - start.getTime();
  const { upSeconds, downSeconds } = probed ?? { upSeconds: 0, downSeconds: 0 };
  // The minute that runs is counted as soon as it was probed.
  const unknownSeconds = Math.max(0, Math.floor(pastMs / secondMs) - upSeconds - downSeconds);
  return { day, upSeconds, downSeconds, unknownSeconds, ratio: ratioOf(upSeconds, downSeconds) };
}

function judge(days: readonly UptimeDay[]): Pick<InstanceUptime, "ratio" | "targetRatio" | "isWithinTarget"> {
  const up = days.reduce((sum, { upSeconds }) => sum + upSeconds, 0);
  const down = days.reduce((sum, { downSeconds }) => sum + downSeconds, 0);
  // In whole numbers: a fraction that is printed as the target may be just below it.
  const isWithinTarget = up + down === 0 ? null : up * 1_000 >= targetPermille * (up + down);
  return { ratio: ratioOf(up, down), targetRatio: targetPermille / 1_000, isWithinTarget };
}

function ratioOf(up: number, down: number): number | null {
  return up + down === 0 ? null : up / (up + down);
}
