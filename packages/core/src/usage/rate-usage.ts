import { type SQL, sql } from "drizzle-orm";
import { houseMeters } from "../catalog/index.ts";
import { addMs, hourMs, minuteMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";

/** Hours in one transaction. */
const batchSize = 2_000;
/** In one run; what is left over then is found by the next one. */
const maxBatches = 500;
/** What was measured in the last minute of an hour is collected by then. */
const settleMs = 5 * minuteMs;

/**
 * Writes records of the hours that have ended, of all organizations that live in the present: for every meter that has a
 * price the difference between what was measured and what is recorded, so a late sample makes a further revision. Safe at
 * any time, by any number of workers at once. Answers how many records were written.
 */
export async function rateUsage(ctx: CoreContext): Promise<number> {
  const endedBy = addMs(ctx.clock.now(), -settleMs);
  // Their machines run in real time and they do not: what is charged of them is simulated.
  await ctx.db.drizzle.execute(sql`
    update usage_hours h set is_rated = true where not h.is_rated and h.hour_at <= ${hourBefore(endedBy)}
      and exists (select 1 from test_clocks c where c.organization_id = h.organization_id)`);
  return rateAll(ctx, {
    table: sql`usage_hours`,
    due: sql`h.hour_at <= ${hourBefore(endedBy)}
      and not exists (select 1 from test_clocks c where c.organization_id = h.organization_id)`,
  });
}

/** The same for the one organization of the context, which lives on a test clock. */
export async function rateSimulatedUsage(ctx: CoreContext): Promise<number> {
  const scope = await ctx.transaction(async (tx) => ({
    table: sql`simulated_hours`,
    due: sql`h.organization_id = ${organizationOf(tx)} and h.hour_at <= ${hourBefore(tx.now)}`,
  }));
  return rateAll(ctx, scope);
}

interface Scope {
  readonly table: SQL;
  readonly due: SQL;
}

async function rateAll(ctx: CoreContext, scope: Scope): Promise<number> {
  let written = 0;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const { hours, records } = await ctx.transaction((tx) => rateBatch(tx, scope));
    written += records;
    if (hours < batchSize) break;
  }
  return written;
}

async function rateBatch(tx: Tx, scope: Scope): Promise<{ readonly hours: number; readonly records: number }> {
  const keys = await lockHours(tx, scope);
  if (keys.length === 0) return { hours: 0, records: 0 };
  const body = JSON.stringify(keys);
  const { count: records } = await insertRecords(tx, scope, body);
  await tx.sql.execute(sql`
    update ${scope.table} h set is_rated = true
    from jsonb_to_recordset(${body}::jsonb) as k(instance_id uuid, hour_at timestamptz)
    where h.instance_id = k.instance_id and h.hour_at = k.hour_at`);
  return { hours: keys.length, records };
}

/**
 * A statement of its own: the next one then sees what others recorded before they let go of these rows. Hours that may
 * turn out to lie in a period that has not begun yet have to wait until it is known.
 */
async function lockHours(tx: Tx, { table, due }: Scope): Promise<readonly Record<string, unknown>[]> {
  return tx.sql.execute(sql`
    select h.instance_id, h.hour_at::text as hour_at
    from ${table} h join instances i on i.id = h.instance_id join subscriptions s on s.id = i.subscription_id
    where not h.is_rated and ${due}
      and not (s.status in ('active', 'past_due') and h.hour_at + interval '1 hour' > s.current_period_end)
    order by h.hour_at, h.instance_id limit ${batchSize}
    for update of h skip locked`);
}

/**
 * An hour counts whole or not at all: it begins when the app was ready, and ends before its service does. It belongs to
 * the period in which it begins. Each insert takes a share of the subscription's row by its foreign key, so whoever has
 * locked that row, as all do who open an invoice, sees records that stay as they are.
 */
async function insertRecords(tx: Tx, { table }: Scope, body: string): Promise<{ readonly count: number }> {
  return tx.sql.execute(sql`
    with served as (
      select h.*, i.subscription_id, p.term_number, p.period_index, t.price_id, t.quantities
      from jsonb_to_recordset(${body}::jsonb) as k(instance_id uuid, hour_at timestamptz)
      join ${table} h on h.instance_id = k.instance_id and h.hour_at = k.hour_at
      join instances i on i.id = h.instance_id and i.ready_at <= h.hour_at
      join subscriptions s on s.id = i.subscription_id
      join billing_periods p on p.subscription_id = s.id and p.starts_at <= h.hour_at and p.ends_at > h.hour_at
      cross join lateral (
        select max(q.ends_at) as ends_at from billing_periods q
        where q.subscription_id = p.subscription_id and q.term_number = p.term_number) term
      cross join lateral (
        select u.price_id, u.quantities from usage_terms u
        where u.subscription_id = s.id and u.starts_at <= h.hour_at order by u.starts_at desc limit 1) t
      where h.hour_at + interval '1 hour' <= least(term.ends_at, s.cancelled_at)
    ), measured as (
      select served.*, price.meter, ${quantityOf} as quantity
      from served join usage_prices price on price.price_id = served.price_id
    )
    insert into usage_records (organization_id, instance_id, subscription_id, meter, hour_at, revision, quantity, price_id,
      term_number, period_index)
    select m.organization_id, m.instance_id, m.subscription_id, m.meter, m.hour_at, coalesce(known.revision, 0) + 1,
      m.quantity - coalesce(known.quantity, 0), m.price_id, m.term_number, m.period_index
    from measured m cross join lateral (
      select max(r.revision) as revision, sum(r.quantity) as quantity from usage_records r
      where r.instance_id = m.instance_id and r.meter = m.meter and r.hour_at = m.hour_at) known
    where m.quantity > coalesce(known.quantity, 0)
    order by m.subscription_id, m.hour_at, m.meter`);
}

/** What the hour says of the meter; of a blueprint's own, its quantity for the seconds in which the app was seen to run. */
const quantityOf = sql`case price.meter ${sql.join(
  Object.entries(houseMeters).map(
    ([meter, { column }]) => sql`when ${sql.raw(`'${meter}'`)} then served.${sql.identifier(column)}::numeric`,
  ),
  sql` `,
)} else coalesce((served.quantities ->> price.meter)::numeric, 0) * served.covered_seconds end`;

function hourBefore(moment: Date): SQL {
  return sql`${addMs(moment, -hourMs).toISOString()}::timestamptz`;
}
