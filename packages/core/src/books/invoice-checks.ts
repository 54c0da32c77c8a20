import { type SQL, sql } from "drizzle-orm";
import { books, type BooksCheck } from "./check.ts";

/** The tax in the first part of the total of a row `i` of invoices, rounded half up. */
const taxWithin = (part: SQL): SQL =>
  sql`div(2 * i.tax_minor::numeric * ${part} + i.total_minor, 2 * i.total_minor::numeric)`;

/** What is asked for, and what is paid of it. */
export const invoiceChecks: readonly BooksCheck[] = [
  books(
    "M09",
    "An invoice's total is the sum of its lines and of the taxes that are added to them; its tax is the sum of its taxes.",
    ({ within }) => sql`
      select i.id, i.organization_id from invoices i
      cross join lateral (select coalesce(sum(l.amount_minor), 0) as lines from invoice_lines l where l.invoice_id = i.id) l
      cross join lateral (select coalesce(sum(t.amount_minor), 0) as taxes, coalesce(sum(t.amount_minor) filter (where not t.is_inclusive), 0) as added
        from invoice_taxes t where t.invoice_id = i.id) t
      where ${within(sql`i.organization_id`)} and (i.total_minor <> l.lines + t.added or i.tax_minor <> t.taxes)`,
  ),
  books(
    "M10",
    "A line's amount is what its quantity costs; a tax is its rate of what all lines are without taxes, rounded once, half up.",
    ({ within }) => sql`
      select l.id, i.organization_id from invoices i join invoice_lines l on l.invoice_id = i.id
      where ${within(sql`i.organization_id`)} and l.amount_minor <>
        div(2 * greatest(l.quantity - l.included_quantity, 0)::numeric * l.unit_amount_minor + l.per_quantity, 2 * l.per_quantity)
        * case l.kind when 'discount' then -1 else 1 end
      union all
      select t.id, i.organization_id from invoices i join invoice_taxes t on t.invoice_id = i.id
      cross join lateral (select sum(l.amount_minor) as lines from invoice_lines l where l.invoice_id = i.id) l
      cross join lateral (select 10000 + coalesce(sum(o.basis_points), 0) as whole, coalesce(sum(o.amount_minor), 0) as contained
        from invoice_taxes o where o.invoice_id = i.id and o.is_inclusive) o
      where ${within(sql`i.organization_id`)} and (t.base_minor <> l.lines - o.contained
        or t.amount_minor <> case when t.is_inclusive then div(2 * l.lines * t.basis_points + o.whole, 2 * o.whole)
          else div(2 * t.base_minor::numeric * t.basis_points + 10000, 20000) end)`,
  ),
  books(
    "M11",
    "What is paid of an invoice is what came for it, never more than its total; the status says so.",
    ({ within }) => sql`
      select i.id, i.organization_id from invoices i
        left join payments p on p.organization_id = i.organization_id and p.invoice_id = i.id and p.status = 'succeeded'
      where ${within(sql`i.organization_id`)} group by i.id
      having i.paid_minor <> coalesce(sum(p.amount_minor), 0) or i.paid_minor > i.total_minor
        or (i.status = 'paid' and i.paid_minor <> i.total_minor)
        or (i.status <> 'paid' and i.total_minor > 0 and i.paid_minor = i.total_minor)`,
  ),
  books(
    "M12",
    "A period is charged at most once.",
    ({ within }) => sql`
      select min(id::text) as id, organization_id from invoices
      where status not in ('draft', 'void') and reason in ('order', 'renewal', 'reactivation') and ${within(sql`organization_id`)}
      group by organization_id, subscription_id, term_number, period_index having count(*) > 1`,
  ),
  {
    id: "M16",
    promise: "The numbers of a series are unique and have no gaps.",
    kind: "books",
    by: "house",
    rows: () => sql`
      select series as id, null as organization_id from (
        select series, number from invoices where number is not null union all select series, number from credit_notes) numbered
      group by series having count(*) <> max(number) or count(distinct number) <> count(*) or min(number) <> 1`,
  },
  books(
    "M29",
    "A change is charged what was planned, and gives its money back if it came to nothing.",
    ({ within }) => sql`
      select i.id, i.organization_id from invoices i
      where i.reason = 'change' and ${within(sql`i.organization_id`)} and not exists (
        select 1 from instance_changes c where c.invoice_id = i.id and c.subscription_id = i.subscription_id
          and c.due_minor + c.added_tax_minor = i.total_minor and c.currency = i.currency)
      union all
      select c.id, c.organization_id from instance_changes c
        join payments p on p.organization_id = c.organization_id and p.invoice_id = c.invoice_id
      where ${within(sql`c.organization_id`)} and c.status in ('failed', 'refused', 'expired') and c.reason <> 'SUPERSEDED'
        and p.refunded_minor <> p.amount_minor`,
  ),
  books(
    "M34",
    "Credit notes take back the share of an invoice's tax that falls on them together, and say of which taxes.",
    ({ within }) => sql`
      select c.id, c.organization_id from credit_notes c left join credit_note_taxes t on t.credit_note_id = c.id
      where ${within(sql`c.organization_id`)} group by c.id
      having c.tax_minor <> coalesce(sum(t.amount_minor) filter (where t.invoice_id = c.invoice_id), 0)
      union all
      select i.id, i.organization_id from invoices i left join credit_notes c on c.invoice_id = i.id
      where ${within(sql`i.organization_id`)} group by i.id
      having i.total_minor > 0 and coalesce(sum(c.tax_minor), 0) <> ${taxWithin(sql`i.credited_minor`)}
      union all
      select x.id, i.organization_id from invoices i join invoice_taxes x on x.invoice_id = i.id
        join credit_note_taxes t on t.invoice_id = x.invoice_id and t.tax_rate_id = x.tax_rate_id
      where ${within(sql`i.organization_id`)} group by x.id, i.organization_id having sum(t.amount_minor) > x.amount_minor`,
  ),
  books(
    "M35",
    "What is the state's is the tax of what was asked for, without that of what was voided and of what was taken back.",
    ({ within }) => sql`
      select x.organization_id as id, x.organization_id from (
        select organization_id, currency from invoices i where tax_minor > 0 and ${within(sql`i.organization_id`)}
        union select organization_id, currency from ledger_accounts a where kind = 'tax_payable' and ${within(sql`a.organization_id`)}) x
      where coalesce((select a.balance_minor from ledger_accounts a
          where a.organization_id = x.organization_id and a.kind = 'tax_payable' and a.currency = x.currency), 0) <>
        coalesce((select sum(case i.status when 'void' then ${taxWithin(sql`i.paid_minor`)} else i.tax_minor end) from invoices i
          where i.organization_id = x.organization_id and i.currency = x.currency and i.status <> 'draft' and i.tax_minor > 0), 0)
        - coalesce((select sum(c.tax_minor) from credit_notes c
          where c.organization_id = x.organization_id and c.currency = x.currency), 0)`,
  ),
];
