import { type SQL, sql } from "drizzle-orm";
import { books, type BooksCheck } from "./check.ts";

/** Until when transactions may be gone from a ledger, each with what it was posted for. */
const openingAt = (organizationId: SQL): SQL => sql`coalesce((
  select c.opening_at from ledger_checkpoints c where c.organization_id = ${organizationId} and c.kind = 'start'), '-infinity')`;

/** Money that comes by bank, provider and wallet, and goes back there. */
export const paymentChecks: readonly BooksCheck[] = [
  books(
    "M17",
    "A provider's reference is booked once, and every payment of something has one ledger transaction.",
    ({ within }) => sql`
      select p.id::text, p.organization_id from payments p where ${within(sql`p.organization_id`)} and p.reference is not null
        and exists (select 1 from payments o where o.provider = p.provider and o.reference = p.reference and o.id <> p.id)
      union all
      select p.id::text, p.organization_id from payments p
        left join ledger_transactions t on t.organization_id = p.organization_id and t.source_id = p.id
          and t.kind = case p.provider when 'wallet' then 'wallet_spent' else 'payment_received' end
      where ${within(sql`p.organization_id`)} and p.status = 'succeeded' and p.amount_minor > 0
      group by p.id having count(t.id) > 1 or (count(t.id) = 0 and p.received_at > ${openingAt(sql`p.organization_id`)})`,
  ),
  books(
    "M18",
    "A notice of a provider is stored once, and what a payment took is booked once: for its invoice or in the wallet.",
    ({ within }) => sql`
      select n.event_id as id, s.organization_id from (
          select id, organization_id from payment_intents i where ${within(sql`i.organization_id`)}
          union all select id, organization_id from refunds r where ${within(sql`r.organization_id`)}) s
        join payment_notices n on n.subject_id = s.id
      group by n.provider, n.event_id, s.organization_id having count(*) > 1
      union all
      select i.id::text, i.organization_id from payment_intents i
        left join (
          select t.source_id, sum(e.amount_minor) as kept_minor
          from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          where ${within(sql`t.organization_id`)} and t.source_type = 'intent' and e.amount_minor > 0 group by t.source_id
        ) w on w.source_id = i.id
        cross join lateral (
          select coalesce(i.received_minor, 0) - coalesce(w.kept_minor, 0) - coalesce(sum(p.amount_minor), 0) as lost_minor
          from payments p where p.provider = i.provider and p.reference = i.id::text) l
      where ${within(sql`i.organization_id`)} and l.lost_minor <> 0
        and (l.lost_minor < 0 or i.ended_at > ${openingAt(sql`i.organization_id`)})
      union all
      select p.id::text, p.organization_id from payments p
        cross join lateral (
          select coalesce(sum(e.amount_minor), 0) as kept_minor
          from ledger_transactions t join ledger_entries e on e.transaction_id = t.id and e.amount_minor > 0
          where t.organization_id = p.organization_id and t.idempotency_key = 'payment:' || p.id || ':surplus') w
      where ${within(sql`p.organization_id`)} and p.surplus_minor <> w.kept_minor
        and (p.surplus_minor < w.kept_minor or p.received_at > ${openingAt(sql`p.organization_id`)})`,
  ),
  books(
    "M30",
    "What was given back of a payment is what its refunds say, never more than was paid.",
    ({ within }) => sql`
      select p.id, p.organization_id from payments p
        left join refunds r on r.organization_id = p.organization_id and r.payment_id = p.id
      where ${within(sql`p.organization_id`)} group by p.id
      having p.refunded_minor <> coalesce(sum(r.amount_minor), 0) or p.refunded_minor > p.amount_minor`,
  ),
  books(
    "M31",
    "Every refund hangs on one credit note over as much, and credit notes take back no more than was paid.",
    ({ within }) => sql`
      select r.id, r.organization_id from refunds r join payments p on p.id = r.payment_id
        left join credit_notes c on c.id = r.credit_note_id
      where ${within(sql`r.organization_id`)} and r.amount_minor > 0
        and (c.amount_minor, c.currency, c.invoice_id) is distinct from (r.amount_minor, r.currency, p.invoice_id)
      union all
      select i.id, i.organization_id from invoices i
        left join credit_notes c on c.organization_id = i.organization_id and c.invoice_id = i.id
      where ${within(sql`i.organization_id`)} group by i.id
      having i.credited_minor <> coalesce(sum(c.amount_minor), 0) or i.credited_minor > i.paid_minor`,
  ),
  books(
    "M32",
    "Cash is what came by bank and providers, less what went back there.",
    ({ within }) => sql`
      select o.organization_id as id, o.organization_id from (
        select distinct organization_id, currency from ledger_accounts where ${within(sql`organization_id`)}) o
      where coalesce((select a.balance_minor from ledger_accounts a
          where a.organization_id = o.organization_id and a.kind = 'cash' and a.currency = o.currency), 0) <>
        coalesce((select sum(p.amount_minor + p.surplus_minor) from payments p
          where p.organization_id = o.organization_id and p.currency = o.currency and p.provider = 'manual'), 0)
        + coalesce((select sum(i.received_minor) from payment_intents i
          where i.organization_id = o.organization_id and i.currency = o.currency and i.provider <> 'wallet'), 0)
        - coalesce((select sum(r.amount_minor) from refunds r where r.organization_id = o.organization_id
          and r.currency = o.currency and r.status = 'succeeded' and r.destination <> 'wallet'), 0)`,
  ),
  books(
    "M33",
    "What is owed to customers by providers is the sum of the refunds that are under way.",
    ({ within }) => sql`
      select a.id, a.organization_id from ledger_accounts a
      where ${within(sql`a.organization_id`)} and a.kind = 'refund_due' and a.balance_minor <> coalesce((
        select sum(r.amount_minor) from refunds r
        where r.organization_id = a.organization_id and r.currency = a.currency and r.status = 'pending'), 0)`,
  ),
];
