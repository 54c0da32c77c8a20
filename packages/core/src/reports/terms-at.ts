import { type SQL, sql } from "drizzle-orm";

/**
 * Pieces of statements about a row `s` of subscriptions at a moment that may be long over. They ask what is never edited (periods, changes
 * that were carried out, the edges of a life), so that the answer about a past day is the same on every later one.
 */

/**
 * The price at that moment: the one of the last change of its period that had come to stand by then, else the one with which that period
 * began, as its invoice asked for it, but for what a trial took off. A price on trial does not count before it stands. Days past due
 * are not paid, and so are not begun at another price.
 */
export function amountAt(at: SQL): SQL {
  return sql`coalesce((
    select coalesce((
      select c.amount_after_minor from instance_changes c
      where c.subscription_id = s.id and c.status = 'executed' and c.kind <> 'deprovision' and c.ended_at >= q.starts_at and c.ended_at <= ${at}
      order by c.ended_at desc, c.id desc limit 1), (
      select sum(case l.kind when 'plan' then a.amount_minor else l.amount_minor end) from invoice_lines l left join prices a on a.id = l.price_id
      where l.invoice_id = q.invoice_id and l.kind in ('plan', 'parameter', 'addon')))
    from (select p.starts_at, p.invoice_id from billing_periods p join invoices i on i.id = p.invoice_id
      where p.subscription_id = s.id and p.starts_at <= ${at} and i.status <> 'uncollectible' order by p.starts_at desc limit 1) q), s.amount_minor)`;
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
