import { sql } from "drizzle-orm";
import { books, type BooksCheck } from "./check.ts";

/** What was used, and what of it is asked for. */
export const usageChecks: readonly BooksCheck[] = [
  books(
    "M19",
    "A record of use is unique by instance, meter, hour and revision, and no revision is left out.",
    ({ within }) => sql`
      select instance_id as id, organization_id from usage_records where ${within(sql`organization_id`)}
      group by organization_id, instance_id, meter, hour_at
      having count(*) <> count(distinct revision) or max(revision) <> count(*) or min(quantity) <= 0`,
  ),
  books(
    "M20",
    "What was measured of one instance is counted once: its windows never overlap.",
    ({ within }) => sql`
      select id, organization_id from (
        select i.id, i.organization_id, s.started_at,
          lag(s.ended_at) over (partition by i.id order by s.started_at, s.ended_at) as before_end
        from instances i join usage_samples s on s.instance_id = i.id where ${within(sql`i.organization_id`)}) x
      where before_end > started_at`,
  ),
  books(
    "M21",
    "The records of an hour come to what was measured in it, as long as its measures are kept.",
    ({ within }) => sql`
      select r.instance_id as id, r.organization_id from usage_records r
      cross join lateral (
        select is_rated, covered_seconds, cpu_milli_seconds, memory_byte_seconds, storage_byte_seconds from usage_hours u
          where u.instance_id = r.instance_id and u.hour_at = r.hour_at
            and not exists (select 1 from test_clocks c where c.organization_id = r.organization_id)
        union all
        select is_rated, covered_seconds, cpu_milli_seconds, memory_byte_seconds, storage_byte_seconds from simulated_hours u
          where u.instance_id = r.instance_id and u.hour_at = r.hour_at) h
      cross join lateral (select case r.meter when 'cpu' then h.cpu_milli_seconds when 'memory' then h.memory_byte_seconds
        when 'storage' then h.storage_byte_seconds when 'running' then h.covered_seconds else h.covered_seconds * (
          select (t.quantities ->> r.meter)::numeric from usage_terms t where t.subscription_id = r.subscription_id
            and t.starts_at <= r.hour_at order by t.starts_at desc limit 1) end as quantity) m
      where ${within(sql`r.organization_id`)}
      group by r.organization_id, r.instance_id, r.meter, r.hour_at
      having (bool_and(h.is_rated) and sum(r.quantity) <> max(m.quantity)) or sum(r.quantity) > max(m.quantity)`,
  ),
  books(
    "M22",
    "A line for use asks for what its records say, and each record is asked for by one line that stands.",
    ({ within }) => sql`
      select l.id, i.organization_id from invoices i join invoice_lines l on l.invoice_id = i.id
        left join usage_records r on r.organization_id = l.organization_id and r.invoice_line_id = l.id
      where l.kind = 'usage' and i.status <> 'void' and ${within(sql`i.organization_id`)}
      group by l.id, i.organization_id having l.quantity <> coalesce(sum(r.quantity), 0)
      union all
      select l.id, i.organization_id from invoices i join invoice_lines l on l.invoice_id = i.id
        join usage_records r on r.organization_id = l.organization_id and r.invoice_line_id = l.id
      where ${within(sql`i.organization_id`)}
        and (i.status = 'void' or (l.kind, l.meter, l.price_id, i.subscription_id) is distinct from ('usage', r.meter, r.price_id, r.subscription_id))`,
  ),
  books(
    "M23",
    "No app is charged for more of a processor than its plan allows, give or take a tenth.",
    ({ within }) => sql`
      select r.instance_id as id, r.organization_id from usage_records r join instances i on i.id = r.instance_id
        join prices on prices.id = r.price_id join plans on plans.id = prices.plan_id
      where r.meter = 'cpu' and ${within(sql`r.organization_id`)} group by r.organization_id, r.instance_id, r.hour_at, i.limits
      having sum(r.quantity) > 3600 * 1.1 * greatest(max(plans.cpu_limit_millis), (i.limits ->> 'cpuLimitMillis')::numeric)`,
  ),
];
