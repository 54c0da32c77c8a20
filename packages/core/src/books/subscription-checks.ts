import { sql } from "drizzle-orm";
import { books, type BooksCheck, clock } from "./check.ts";

/** What is rented, for which time, and what runs because of it. */
export const subscriptionChecks: readonly BooksCheck[] = [
  clock(
    "M13",
    "Every period that has begun was charged.",
    ({ now, within }) => sql`
      select p.id, s.organization_id from subscriptions s
        join billing_periods p on p.subscription_id = s.id join invoices i on i.id = p.invoice_id
      where ${within(sql`s.organization_id`)} and (i.status not in ('paid', 'uncollectible')
        or (i.subscription_id, i.term_number, i.period_index) is distinct from (p.subscription_id, p.term_number, p.period_index))
      union all
      select s.id, s.organization_id from subscriptions s left join test_clocks c on c.organization_id = s.organization_id
      where ${within(sql`s.organization_id`)} and s.status in ('active', 'past_due')
        and s.current_period_start < coalesce(c.now_at, ${now.toISOString()}::timestamptz) - interval '2 hours'
        and not exists (select 1 from billing_periods p where p.subscription_id = s.id and p.term_number = s.term_number
          and p.period_index = s.period_index and p.starts_at = s.current_period_start)`,
  ),
  books(
    "M14",
    "The periods of a term tile: without gap or overlap, numbered from zero.",
    ({ within }) => sql`
      select id, organization_id from (
        select p.*, lag(ends_at) over w as before_end, lag(p.period_index) over w as before_index
        from subscriptions s join billing_periods p on p.subscription_id = s.id where ${within(sql`s.organization_id`)}
        window w as (partition by p.subscription_id, p.term_number order by p.starts_at)) x
      where ends_at <= starts_at or before_end <> starts_at or period_index <> coalesce(before_index + 1, 0)`,
  ),
  books(
    "M15",
    "Period n of a term begins at its anchor plus n intervals, in the subscription's zone.",
    ({ within }) => sql`
      select p.id, s.organization_id from subscriptions s
        join billing_periods p on p.subscription_id = s.id and p.period_index > 0
        join billing_periods first on first.subscription_id = s.id and first.term_number = p.term_number and first.period_index = 0
      where ${within(sql`s.organization_id`)} and p.starts_at <> ((first.starts_at at time zone s.time_zone) + p.period_index
        * case s.interval when 'P1M' then interval '1 month' else interval '30 days' end) at time zone s.time_zone`,
  ),
  clock(
    "M24",
    "A subscription that runs has one instance that is wanted; one that was purged has none.",
    ({ within }) => sql`
      select s.id, s.organization_id from subscriptions s left join instances i
        on i.organization_id = s.organization_id and i.subscription_id = s.id and i.desired_phase <> 'absent'
      where ${within(sql`s.organization_id`)}
      group by s.id having (s.status in ('active', 'past_due') and count(i.id) <> 1) or (s.purged_at is not null and count(i.id) <> 0)`,
  ),
  clock(
    "M25",
    "Nothing runs unpaid.",
    ({ within }) => sql`
      select i.id, i.organization_id from instances i join subscriptions s on s.id = i.subscription_id
      where i.desired_phase = 'running' and s.status not in ('active', 'past_due') and ${within(sql`i.organization_id`)}`,
  ),
  clock(
    "M26",
    "Data is deleted after grace, or after a cancellation, and never before.",
    ({ within }) => sql`
      select id, organization_id from subscriptions where ${within(sql`organization_id`)}
        and ((purged_at is not null and cancelled_at is null) or (cancel_reason = 'grace_over' and cancelled_at < grace_ends_at))`,
  ),
  {
    id: "M27",
    promise: "Nothing stays active past its end for longer than two sweeps, unless its organization is parked.",
    kind: "clock",
    by: "time",
    rows: ({ now }) => sql`
      select s.id, s.organization_id from subscriptions s join organizations o on o.id = s.organization_id
      where s.status = 'active' and s.current_period_end < ${now.toISOString()}::timestamptz - interval '10 minutes'
        and o.parked_at is null and not exists (select 1 from test_clocks c where c.organization_id = s.organization_id)
      union all
      select s.id, s.organization_id from test_clocks c join organizations o on o.id = c.organization_id
        join subscriptions s on s.organization_id = c.organization_id
      where s.status = 'active' and s.current_period_end < c.now_at - interval '10 minutes' and o.parked_at is null`,
  },
  books(
    "M38",
    "An app has those add-ons that are charged with its subscription.",
    ({ within }) => sql`
      select i.id, i.organization_id from instances i join subscriptions s on s.id = i.subscription_id
      where ${within(sql`i.organization_id`)} and i.addons <> coalesce((
        select jsonb_object_agg(slug, held) from (
          select item -> 'addon' ->> 'slug' as slug, sum((item ->> 'quantity')::int) as held
          from jsonb_array_elements(s.items) item where item ->> 'kind' = 'addon' group by 1) charged), '{}')`,
  ),
];
