import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import type { Interval } from "../periods.ts";
import { type MonthsInput, periodOfMonths } from "./months.ts";
import { perMonth } from "./per-month.ts";
import { isOfTheHouse, moment, readHouse } from "./read-house.ts";
import { amountAt, containedAt } from "./terms-at.ts";

/**
 * not_paid: the next period was asked for and its money did not come.
 * not_renewed: it ended with its period and no money was waited for, mostly because its customer did not want it any more.
 * customer, operator: cancelled at once by them.
 * provisioning_failed: the app never became ready; its money went back.
 */
export const churnReasons = ["not_paid", "not_renewed", "customer", "operator", "provisioning_failed"] as const;
export type ChurnReason = (typeof churnReasons)[number];

export interface ChurnMonth {
  /** `2026-03`, on the calendar of the house. */
  readonly month: string;
  readonly currency: string;
  readonly reason: ChurnReason;
  readonly subscriptions: number;
  /** What they brought in a month, in minor units. */
  readonly amountMinor: bigint;
}

/**
 * Paid apps whose service stopped, by month and reason; the oldest month first. Each end of a term counts, also of one that came back
 * later: that is `returned` in the recurring revenue.
 */
export async function listChurn(ctx: CoreContext, input: MonthsInput): Promise<readonly ChurnMonth[]> {
  const { timeZone } = ctx.config;
  const { start, end } = periodOfMonths(input, ctx.clock.now(), timeZone);
  const rows = await readHouse(ctx, (reader) =>
    reader.execute<{
      month: string;
      currency: string;
      reason: ChurnReason;
      interval: Interval;
      amount: string;
      contained: number;
      subscriptions: string;
    }>(sql`
      select to_char(lost_at at time zone ${timeZone}, 'YYYY-MM') as month, currency, reason, interval, amount, contained, count(*) as subscriptions
      from (
        select s.currency, s.interval, lost.at as lost_at, ${amountAt(sql`lost.at`)} as amount, ${containedAt(sql`lost.at`)} as contained,
          case when lost.is_cancelled then s.cancel_reason
            when i.status = 'uncollectible' or exists (
              select 1 from invoices n where n.subscription_id = s.id and n.term_number = p.term_number
                and n.period_index = p.period_index + 1 and n.reason = 'renewal' and n.status = 'void' and n.closed_at >= p.ends_at)
            then 'not_paid' else 'not_renewed' end as reason
        from billing_periods p
          join subscriptions s on s.id = p.subscription_id
          join invoices i on i.id = p.invoice_id
          cross join lateral (select p.term_number = s.term_number and s.cancelled_at is not null and s.expired_at is null as is_cancelled) ended
          cross join lateral (select ended.is_cancelled, case when ended.is_cancelled then s.cancelled_at else p.ends_at end as at) lost
        where (p.term_number < s.term_number or s.status in ('expired', 'cancelled'))
          and not exists (select 1 from billing_periods n where n.subscription_id = p.subscription_id
            and n.term_number = p.term_number and n.period_index = p.period_index + 1)
          and lost.at >= ${moment(start)} and lost.at < ${moment(end)} and ${isOfTheHouse(sql`s.organization_id`)}) losses
      where amount > 0 group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3`),
  );
  const months = new Map<string, ChurnMonth>();
  for (const { month, currency, reason, interval, amount, contained, subscriptions } of rows) {
    const key = `${month} ${currency} ${reason}`;
    const before = months.get(key);
    months.set(key, {
      month,
      currency,
      reason,
      subscriptions: (before?.subscriptions ?? 0) + Number(subscriptions),
      amountMinor: (before?.amountMinor ?? 0n) + perMonth(BigInt(amount), interval, contained) * BigInt(subscriptions),
    });
  }
  return [...months.values()];
}
