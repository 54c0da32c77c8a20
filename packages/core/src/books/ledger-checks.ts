import { sql } from "drizzle-orm";
import { books, type BooksCheck } from "./check.ts";

/** What is gone of an account, up to where its ledger starts by now: on the side of debits. */
const openingMinor = sql`coalesce((
  select (c.opening ->> a.id::text)::numeric from ledger_checkpoints c where c.organization_id = a.organization_id and c.kind = 'start'), 0)`;

/** The ledger in itself, and that what hangs together has one owner. */
export const ledgerChecks: readonly BooksCheck[] = [
  books(
    "M01",
    "Every ledger transaction sums to zero per currency and has at least two legs.",
    ({ within }) => sql`
      select t.id, t.organization_id from ledger_transactions t left join ledger_entries e on e.transaction_id = t.id
      where ${within(sql`t.organization_id`)}
      group by t.id, e.currency having count(e.id) < 2 or sum(e.amount_minor) <> 0`,
  ),
  {
    id: "M02",
    promise: "The whole ledger sums to zero per currency.",
    kind: "books",
    by: "house",
    rows: () => sql`
      select currency as id, null as organization_id from ledger_entries group by currency having sum(amount_minor) <> 0`,
  },
  books(
    "M03",
    "Each balance is the sum of its entries, with what they began with.",
    ({ within }) => sql`
      select a.id, a.organization_id from ledger_accounts a left join ledger_entries e on e.account_id = a.id
      where ${within(sql`a.organization_id`)} group by a.id
      having a.balance_minor <> case a.normal_side when 'debit' then 1 else -1 end * (${openingMinor} + coalesce(sum(e.amount_minor), 0))`,
  ),
  books(
    "M04",
    "No account that may not go below zero was below after any entry.",
    ({ within }) => sql`
      select distinct id, organization_id from (
        select a.id, a.organization_id, case a.normal_side when 'debit' then 1 else -1 end
          * (${openingMinor} + sum(e.amount_minor) over (partition by a.id order by t.sequence, e.position)) as running
        from ledger_accounts a join ledger_entries e on e.account_id = a.id join ledger_transactions t on t.id = e.transaction_id
        where not a.may_go_negative and ${within(sql`a.organization_id`)}) x where running < 0`,
  ),
  books(
    "M05",
    "An entry has the currency of its account.",
    ({ within }) => sql`
      select e.id, a.organization_id from ledger_accounts a join ledger_entries e on e.account_id = a.id
      where e.currency <> a.currency and ${within(sql`a.organization_id`)}`,
  ),
  books(
    "M06",
    "No entry is zero.",
    ({ within }) => sql`
      select e.id, a.organization_id from ledger_accounts a join ledger_entries e on e.account_id = a.id
      where e.amount_minor = 0 and ${within(sql`a.organization_id`)}`,
  ),
  books(
    "M07",
    "A key is posted once.",
    ({ within }) => sql`
      select min(id::text) as id, organization_id from ledger_transactions where ${within(sql`organization_id`)}
      group by organization_id, idempotency_key having count(*) > 1`,
  ),
  books(
    "M08",
    "A transaction is reversed at most once, and in full.",
    ({ within }) => sql`
      select reverses_id as id, organization_id from ledger_transactions
      where reverses_id is not null and ${within(sql`organization_id`)} group by organization_id, reverses_id having count(*) > 1
      union all
      select id, organization_id from (
        select r.id, r.organization_id, e.account_id, e.amount_minor
        from ledger_transactions r join ledger_entries e on e.transaction_id = r.id
        where r.reverses_id is not null and ${within(sql`r.organization_id`)}
        union all
        select r.id, r.organization_id, e.account_id, e.amount_minor
        from ledger_transactions r join ledger_entries e on e.transaction_id = r.reverses_id
        where ${within(sql`r.organization_id`)}) legs
      group by id, organization_id, account_id having sum(amount_minor) <> 0`,
  ),
  books(
    "M28",
    "Along the chain every row belongs to the same organization.",
    ({ within }) => sql`
      select i.id, i.organization_id from instances i join subscriptions s on s.id = i.subscription_id
      where i.organization_id <> s.organization_id and ${within(sql`i.organization_id`)}
      union all select i.id, i.organization_id from invoices i join subscriptions s on s.id = i.subscription_id
      where i.organization_id <> s.organization_id and ${within(sql`i.organization_id`)}
      union all select p.id, p.organization_id from payments p join invoices i on i.id = p.invoice_id
      where p.organization_id <> i.organization_id and ${within(sql`p.organization_id`)}
      union all select e.id, a.organization_id from ledger_accounts a join ledger_entries e on e.account_id = a.id
      where e.organization_id <> a.organization_id and ${within(sql`a.organization_id`)}
      union all select e.id, t.organization_id from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
      where e.organization_id <> t.organization_id and ${within(sql`t.organization_id`)}
      union all select p.id, p.organization_id from payment_intents p join invoices i on i.id = p.invoice_id
      where p.organization_id <> i.organization_id and ${within(sql`p.organization_id`)}
      union all select r.id, r.organization_id from refunds r join payments p on p.id = r.payment_id
      where r.organization_id <> p.organization_id and ${within(sql`r.organization_id`)}
      union all select c.id, c.organization_id from credit_notes c join invoices i on i.id = c.invoice_id
      where c.organization_id <> i.organization_id and ${within(sql`c.organization_id`)}`,
  ),
];
