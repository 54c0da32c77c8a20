import { type SQL, sql } from "drizzle-orm";

/**
 * Pieces of statements about a row `s` of subscriptions at a moment that may be long over. They ask what is never edited (periods, changes
 * that were carried out, the edges of a life), so that the answer about a past day is the same on every later one.
 */

/**
 * The price at that moment: the one before the first change that came to stand later, or the price of now. A price on trial does not
 * count before it stands.
 */
export function amountAt(at: SQL): SQL {
  return sql`coalesce((
    select c.amount_before_minor from instance_changes c
    where c.subscription_id = s.id and c.status in ('executing', 'executed') and (c.ended_at is null or c.ended_at > ${at})
    order by c.approved_at, c.id limit 1), s.amount_minor)`;
}

/**
 * Hundredths of a percent of tax that the price contained at that moment: those of the invoice that asked for it last, whatever the
 * customer's country and the rates have become since.
 */
export function containedAt(at: SQL): SQL {
  return sql`coalesce((
    select sum(t.basis_points) from invoice_taxes t where t.is_inclusive and t.organization_id = s.organization_id and t.invoice_id = (
      select i.id from invoices i where i.organization_id = s.organization_id and i.subscription_id = s.id
        and i.status <> 'void' and i.total_minor > 0 and i.period_start <= ${at}
      order by i.period_start desc, i.id desc limit 1)), 0)::int`;
}

/**
 * Whether service ran at that moment: a period lies over it, or the days past due of the current term, which get a period only when they
 * are over. A cancellation ends it at once.
 */
export function isServedAt(at: SQL): SQL {
  return sql`(
    (s.cancelled_at is null or s.cancelled_at > ${at}) and (
      exists (select 1 from billing_periods p where p.subscription_id = s.id and p.starts_at <= ${at} and p.ends_at > ${at})
      or (s.current_period_end <= ${at} and (s.status in ('active', 'past_due') or (s.past_due_at is not null and s.expired_at is null)))))`;
}
