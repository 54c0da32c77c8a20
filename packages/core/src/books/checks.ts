import { type SQL, sql } from "drizzle-orm";

export interface BooksCheck {
  readonly id: string;
  /** What holds when no row comes back. */
  readonly promise: string;
  /** `books`: the books are wrong. `clock`: something is late or out of step, which an outage explains. */
  readonly kind: "books" | "clock";
  /** Rows in a column `id`: what breaks the promise. `now` is the time of the house. */
  readonly rows: (now: Date) => SQL;
}

/** An organization on a test clock is judged by its own time. */
const organizationNow = (now: Date, organizationId: SQL): SQL =>
  sql`coalesce((select c.now_at from test_clocks c where c.organization_id = ${organizationId}), ${now.toISOString()}::timestamptz)`;

const books = (id: string, promise: string, rows: SQL): BooksCheck => ({
  id,
  promise,
  kind: "books",
  rows: () => rows,
});
const clock = (id: string, promise: string, rows: (now: Date) => SQL): BooksCheck => ({
  id,
  promise,
  kind: "clock",
  rows,
});

/** The tax in the first part of the total of a row `i` of invoices, rounded half up. */
const taxWithin = (part: SQL): SQL =>
  sql`div(2 * i.tax_minor::numeric * ${part} + i.total_minor, 2 * i.total_minor::numeric)`;

/** Each in its own words of SQL, and not through the code that writes: what that code gets wrong has to show here. */
export const booksChecks: readonly BooksCheck[] = [
  books(
    "M01",
    "Every ledger transaction sums to zero per currency and has at least two legs.",
    sql`select t.id from ledger_transactions t left join ledger_entries e on e.transaction_id = t.id
      group by t.id, e.currency having count(e.id) < 2 or sum(e.amount_minor) <> 0`,
  ),
  books(
    "M02",
    "The whole ledger sums to zero per currency.",
    sql`select currency as id from ledger_entries group by currency having sum(amount_minor) <> 0`,
  ),
  books(
    "M03",
    "Each balance is the sum of its entries.",
    sql`select a.id from ledger_accounts a left join ledger_entries e on e.account_id = a.id group by a.id
      having a.balance_minor <> case a.normal_side when 'debit' then 1 else -1 end * coalesce(sum(e.amount_minor), 0)`,
  ),
  books(
    "M04",
    "No account that may not go below zero was below after any entry.",
    sql`select distinct id from (
        select a.id, sum(case a.normal_side when 'debit' then e.amount_minor else -e.amount_minor end)
          over (partition by a.id order by t.sequence, e.position) as running
        from ledger_entries e join ledger_accounts a on a.id = e.account_id join ledger_transactions t on t.id = e.transaction_id
        where not a.may_go_negative) x where running < 0`,
  ),
  books(
    "M05",
    "An entry has the currency of its account.",
    sql`select e.id from ledger_entries e join ledger_accounts a on a.id = e.account_id where e.currency <> a.currency`,
  ),
  books("M06", "No entry is zero.", sql`select id from ledger_entries where amount_minor = 0`),
  books(
    "M07",
    "A key is posted once.",
    sql`select min(id::text) as id from ledger_transactions group by organization_id, idempotency_key having count(*) > 1`,
  ),
  books(
    "M08",
    "A transaction is reversed at most once, and in full.",
    sql`select reverses_id as id from ledger_transactions where reverses_id is not null group by reverses_id having count(*) > 1
      union all
      select r.id from ledger_transactions r where r.reverses_id is not null and exists (
        select 1 from ledger_entries where transaction_id in (r.id, r.reverses_id) group by account_id having sum(amount_minor) <> 0)`,
  ),
  books(
    "M09",
    "An invoice's total is the sum of its lines and of the taxes that are added to them; its tax is the sum of its taxes.",
    sql`select i.id from invoices i
      cross join lateral (select coalesce(sum(l.amount_minor), 0) as lines from invoice_lines l where l.invoice_id = i.id) l
      cross join lateral (select coalesce(sum(t.amount_minor), 0) as taxes, coalesce(sum(t.amount_minor) filter (where not t.is_inclusive), 0) as added
        from invoice_taxes t where t.invoice_id = i.id) t
      where i.total_minor <> l.lines + t.added or i.tax_minor <> t.taxes`,
  ),
  books(
    "M10",
    "A line's amount is what its quantity costs; a tax is its rate of what all lines are without taxes, rounded once, half up.",
    sql`select id from invoice_lines where amount_minor <>
        div(2 * greatest(quantity - included_quantity, 0)::numeric * unit_amount_minor + per_quantity, 2 * per_quantity)
      union all
      select t.id from invoice_taxes t
      cross join lateral (select sum(l.amount_minor) as lines from invoice_lines l where l.invoice_id = t.invoice_id) l
      cross join lateral (select 10000 + coalesce(sum(o.basis_points), 0) as whole, coalesce(sum(o.amount_minor), 0) as contained
        from invoice_taxes o where o.invoice_id = t.invoice_id and o.is_inclusive) o
      where t.base_minor <> l.lines - o.contained
        or t.amount_minor <> case when t.is_inclusive then div(2 * l.lines * t.basis_points + o.whole, 2 * o.whole)
          else div(2 * t.base_minor::numeric * t.basis_points + 10000, 20000) end`,
  ),
  books(
    "M11",
    "What is paid of an invoice is what came for it, never more than its total; the status says so.",
    sql`select i.id from invoices i left join payments p on p.invoice_id = i.id and p.status = 'succeeded' group by i.id
      having i.paid_minor <> coalesce(sum(p.amount_minor), 0) or i.paid_minor > i.total_minor
        or (i.status = 'paid' and i.paid_minor <> i.total_minor)
        or (i.status <> 'paid' and i.total_minor > 0 and i.paid_minor = i.total_minor)`,
  ),
  books(
    "M12",
    "A period is charged at most once.",
    sql`select min(id::text) as id from invoices where status not in ('draft', 'void') and reason in ('order', 'renewal', 'reactivation')
      group by subscription_id, term_number, period_index having count(*) > 1`,
  ),
  clock(
    "M13",
    "Every period that has begun was charged.",
    (now) => sql`
      select p.id from billing_periods p join invoices i on i.id = p.invoice_id
      where i.status not in ('paid', 'uncollectible') or (i.subscription_id, i.term_number, i.period_index)
        is distinct from (p.subscription_id, p.term_number, p.period_index)
      union all
      select s.id from subscriptions s where s.status in ('active', 'past_due')
        and s.current_period_start < ${organizationNow(now, sql`s.organization_id`)} - interval '2 hours'
        and not exists (select 1 from billing_periods p where p.subscription_id = s.id and p.term_number = s.term_number
          and p.period_index = s.period_index and p.starts_at = s.current_period_start)`,
  ),
  books(
    "M14",
    "The periods of a term tile: without gap or overlap, numbered from zero.",
    sql`select id from (
        select p.*, lag(ends_at) over w as before_end, lag(period_index) over w as before_index
        from billing_periods p window w as (partition by subscription_id, term_number order by starts_at)) x
      where ends_at <= starts_at or before_end <> starts_at or period_index <> coalesce(before_index + 1, 0)`,
  ),
  books(
    "M15",
    "Period n of a term begins at its anchor plus n intervals, in the subscription's zone.",
    sql`select p.id from billing_periods p
      join billing_periods first on first.subscription_id = p.subscription_id and first.term_number = p.term_number and first.period_index = 0
      join subscriptions s on s.id = p.subscription_id
      where p.period_index > 0 and p.starts_at <> ((first.starts_at at time zone s.time_zone) + p.period_index
        * case s.interval when 'P1M' then interval '1 month' else interval '30 days' end) at time zone s.time_zone`,
  ),
  books(
    "M16",
    "The numbers of a series are unique and have no gaps.",
    sql`select series as id from (
        select series, number from invoices where number is not null union all select series, number from credit_notes) numbered
      group by series having count(*) <> max(number) or count(distinct number) <> count(*) or min(number) <> 1`,
  ),
  books(
    "M17",
    "A provider's reference is booked once, and every payment of something has one ledger transaction.",
    sql`select min(id::text) as id from payments where reference is not null group by provider, reference having count(*) > 1
      union all
      select p.id::text from payments p where p.status = 'succeeded' and p.amount_minor > 0 and (
        select count(*) from ledger_transactions t where t.source_id = p.id
          and t.kind = case p.provider when 'wallet' then 'wallet_spent' else 'payment_received' end) <> 1`,
  ),
  books(
    "M18",
    "A notice of a provider is stored once, and what a payment took is booked once: for its invoice or in the wallet.",
    sql`select min(event_id) as id from payment_notices group by provider, event_id having count(*) > 1
      union all
      select i.id::text from payment_intents i where coalesce(i.received_minor, 0) <>
        (select coalesce(sum(p.amount_minor), 0) from payments p where p.provider = i.provider and p.reference = i.id::text)
        + (select coalesce(sum(e.amount_minor), 0) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          where t.source_type = 'intent' and t.source_id = i.id and e.amount_minor > 0)`,
  ),
  clock(
    "M24",
    "A subscription that runs has one instance that is wanted; one that was purged has none.",
    () => sql`
      select s.id from subscriptions s left join instances i on i.subscription_id = s.id and i.desired_phase <> 'absent'
      group by s.id having (s.status in ('active', 'past_due') and count(i.id) <> 1) or (s.purged_at is not null and count(i.id) <> 0)`,
  ),
  clock(
    "M25",
    "Nothing runs unpaid.",
    () => sql`
      select i.id from instances i join subscriptions s on s.id = i.subscription_id
      where i.desired_phase = 'running' and s.status not in ('active', 'past_due')`,
  ),
  clock(
    "M26",
    "Data is deleted after grace, or after a cancellation, and never before.",
    () => sql`
      select id from subscriptions where (purged_at is not null and cancelled_at is null)
        or (cancel_reason = 'grace_over' and cancelled_at < grace_ends_at)`,
  ),
  clock(
    "M27",
    "Nothing stays active past its end for longer than two sweeps.",
    (now) => sql`
      select id from subscriptions s where status = 'active'
        and current_period_end < ${organizationNow(now, sql`s.organization_id`)} - interval '10 minutes'`,
  ),
  books(
    "M28",
    "Along the chain every row belongs to the same organization.",
    sql`select i.id from instances i join subscriptions s on s.id = i.subscription_id where i.organization_id <> s.organization_id
      union all select i.id from invoices i join subscriptions s on s.id = i.subscription_id where i.organization_id <> s.organization_id
      union all select p.id from payments p join invoices i on i.id = p.invoice_id where p.organization_id <> i.organization_id
      union all select e.id from ledger_entries e join ledger_accounts a on a.id = e.account_id where e.organization_id <> a.organization_id
      union all select e.id from ledger_entries e join ledger_transactions t on t.id = e.transaction_id where e.organization_id <> t.organization_id
      union all select p.id from payment_intents p join invoices i on i.id = p.invoice_id where p.organization_id <> i.organization_id
      union all select r.id from refunds r join payments p on p.id = r.payment_id where r.organization_id <> p.organization_id
      union all select c.id from credit_notes c join invoices i on i.id = c.invoice_id where c.organization_id <> i.organization_id`,
  ),
  books(
    "M29",
    "A change is charged what was planned, and gives its money back if it came to nothing.",
    sql`select i.id from invoices i where i.reason = 'change' and not exists (
        select 1 from instance_changes c where c.invoice_id = i.id and c.subscription_id = i.subscription_id
          and c.due_minor + c.added_tax_minor = i.total_minor and c.currency = i.currency)
      union all
      select c.id from instance_changes c join payments p on p.invoice_id = c.invoice_id
      where c.status in ('failed', 'refused', 'expired') and c.reason <> 'SUPERSEDED' and p.refunded_minor <> p.amount_minor`,
  ),
  books(
    "M30",
    "What was given back of a payment is what its refunds say, never more than was paid.",
    sql`select p.id from payments p left join refunds r on r.payment_id = p.id group by p.id
      having p.refunded_minor <> coalesce(sum(r.amount_minor), 0) or p.refunded_minor > p.amount_minor`,
  ),
  books(
    "M31",
    "Every refund hangs on one credit note over as much, and credit notes take back no more than was paid.",
    sql`select r.id from refunds r join payments p on p.id = r.payment_id left join credit_notes c on c.id = r.credit_note_id
      where r.amount_minor > 0 and (c.amount_minor, c.currency, c.invoice_id) is distinct from (r.amount_minor, r.currency, p.invoice_id)
      union all
      select i.id from invoices i left join credit_notes c on c.invoice_id = i.id group by i.id
      having i.credited_minor <> coalesce(sum(c.amount_minor), 0) or i.credited_minor > i.paid_minor`,
  ),
  books(
    "M32",
    "Cash is what came by bank and providers, less what went back there.",
    sql`select o.id from organizations o cross join lateral (
        select currency from ledger_accounts where organization_id = o.id group by currency) c
      where coalesce((select balance_minor from ledger_accounts a
          where a.organization_id = o.id and a.kind = 'cash' and a.currency = c.currency), 0) <>
        coalesce((select sum(p.amount_minor) from payments p
          where p.organization_id = o.id and p.currency = c.currency and p.provider = 'manual'), 0)
        + coalesce((select sum(i.received_minor) from payment_intents i
          where i.organization_id = o.id and i.currency = c.currency and i.provider <> 'wallet'), 0)
        - coalesce((select sum(r.amount_minor) from refunds r
          where r.organization_id = o.id and r.currency = c.currency and r.status = 'succeeded' and r.destination <> 'wallet'), 0)`,
  ),
  books(
    "M33",
    "What is owed to customers by providers is the sum of the refunds that are under way.",
    sql`select a.id from ledger_accounts a where a.kind = 'refund_due' and a.balance_minor <> coalesce((
        select sum(r.amount_minor) from refunds r
        where r.organization_id = a.organization_id and r.currency = a.currency and r.status = 'pending'), 0)`,
  ),
  books(
    "M34",
    "Credit notes take back the share of an invoice's tax that falls on them together, and say of which taxes.",
    sql`select c.id from credit_notes c left join credit_note_taxes t on t.credit_note_id = c.id group by c.id
      having c.tax_minor <> coalesce(sum(t.amount_minor) filter (where t.invoice_id = c.invoice_id), 0)
      union all
      select i.id from invoices i left join credit_notes c on c.invoice_id = i.id group by i.id
      having i.total_minor > 0 and coalesce(sum(c.tax_minor), 0) <> ${taxWithin(sql`i.credited_minor`)}
      union all
      select x.id from invoice_taxes x join credit_note_taxes t on t.invoice_id = x.invoice_id and t.tax_rate_id = x.tax_rate_id
      group by x.id having sum(t.amount_minor) > x.amount_minor`,
  ),
  books(
    "M35",
    "What is the state's is the tax of what was asked for, without that of what was voided and of what was taken back.",
    sql`select x.organization_id as id from (
        select organization_id, currency from invoices where tax_minor > 0
        union select organization_id, currency from ledger_accounts where kind = 'tax_payable') x
      where coalesce((select a.balance_minor from ledger_accounts a
          where a.organization_id = x.organization_id and a.kind = 'tax_payable' and a.currency = x.currency), 0) <>
        coalesce((select sum(case i.status when 'void' then ${taxWithin(sql`i.paid_minor`)} else i.tax_minor end) from invoices i
          where i.organization_id = x.organization_id and i.currency = x.currency and i.status <> 'draft' and i.tax_minor > 0), 0)
        - coalesce((select sum(c.tax_minor) from credit_notes c
          where c.organization_id = x.organization_id and c.currency = x.currency), 0)`,
  ),
];
