import { sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";

/** What of one meter was recorded on one day. */
export interface UsageOfDay {
  /** On the wall clock of the zone, as `2026-06-01`. */
  readonly day: string;
  readonly meter: string;
  /** For people: what is measured, and what it is counted in. */
  readonly label: string;
  readonly unit: string;
  readonly quantity: bigint;
}

/** By the day in which an hour begins, the oldest first. */
export async function listUsageOfDays(
  tx: Tx,
  input: { readonly subscriptionId: string; readonly start: Date; readonly end: Date; readonly timeZone: string },
): Promise<readonly UsageOfDay[]> {
  const { subscriptionId, start, end, timeZone } = input;
  const rows = await tx.sql.execute<{ day: string; meter: string; label: string; unit: string; quantity: string }>(sql`
    select (r.hour_at at time zone ${timeZone})::date::text as day, r.meter, min(p.label) as label, min(p.unit) as unit,
      sum(r.quantity)::text as quantity
    from usage_records r join usage_prices p on p.price_id = r.price_id and p.meter = r.meter
    where r.organization_id = ${organizationOf(tx)} and r.subscription_id = ${subscriptionId}
      and r.hour_at >= ${start.toISOString()}::timestamptz and r.hour_at < ${end.toISOString()}::timestamptz
    group by 1, 2 order by 1, 2`);
  return rows.map((row) => ({ ...row, quantity: BigInt(row.quantity) }));
}

/** What was recorded in one period, by meter, whether an invoice asks for it or not. */
export async function sumUsageOfPeriod(
  tx: Tx,
  input: { readonly subscriptionId: string; readonly termNumber: number; readonly periodIndex: number },
): Promise<ReadonlyMap<string, bigint>> {
  const { subscriptionId, termNumber, periodIndex } = input;
  const rows = await tx.sql.execute<{ meter: string; quantity: string }>(sql`
    select meter, sum(quantity)::text as quantity from usage_records
    where organization_id = ${organizationOf(tx)} and subscription_id = ${subscriptionId}
      and term_number = ${termNumber} and period_index = ${periodIndex}
    group by meter`);
  return new Map(rows.map(({ meter, quantity }) => [meter, BigInt(quantity)]));
}
