-- What payments and the wallet rest on: closed words, credit notes for what was refunded before there were any, projections that only their
-- triggers write, states that do not go back, and the one lock of a wallet.

alter table payments drop constraint payments_words;
--> statement-breakpoint
alter table payments add constraint payments_words check (provider in ('manual', 'wallet', 'sandbox') and status in ('succeeded'));
--> statement-breakpoint
alter table refunds add constraint refunds_words check (
  destination in ('manual', 'wallet', 'provider') and status in ('pending', 'succeeded') and (status = 'succeeded' or destination = 'provider')
);
--> statement-breakpoint
alter table ledger_accounts drop constraint ledger_accounts_words;
--> statement-breakpoint
alter table ledger_accounts add constraint ledger_accounts_words check (
  kind in ('receivable', 'cash', 'revenue', 'bad_debt', 'wallet', 'refund_due', 'goodwill') and normal_side in ('debit', 'credit')
);
--> statement-breakpoint
alter table ledger_transactions drop constraint ledger_transactions_words;
--> statement-breakpoint
alter table ledger_transactions add constraint ledger_transactions_words check (
  kind in (
    'invoice_opened', 'invoice_voided', 'invoice_written_off', 'payment_received', 'payment_refunded', 'wallet_topped_up',
    'wallet_credited', 'wallet_spent', 'wallet_refunded', 'wallet_adjusted', 'refund_promised'
  )
  and source_type in ('invoice', 'payment', 'refund', 'intent', 'adjustment')
  and digest ~ '^[0-9a-f]{64}$' and chain ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint
alter table payment_methods add constraint payment_methods_words check (provider in ('sandbox'));
--> statement-breakpoint
alter table payment_intents add constraint payment_intents_words check (
  purpose in ('invoice', 'top_up') and provider in ('wallet', 'sandbox') and origin in ('customer', 'automatic')
  and status in ('created', 'pending', 'succeeded', 'failed', 'expired', 'cancelled')
);
--> statement-breakpoint
alter table payment_notices add constraint payment_notices_words check (
  provider in ('sandbox') and subject_type in ('payment', 'refund') and length(event_id) between 1 and 200 and length(type) <= 200
);
--> statement-breakpoint

-- Refunds from before there were credit notes get theirs.
with numbered as (
  select r.id, r.organization_id, p.invoice_id, split_part(i.series, '-', 1) || '-CN-' || to_char(r.refunded_at at time zone 'UTC', 'YYYY') as series,
    r.currency, r.amount_minor, r.reason, i.customer, r.refunded_at
  from refunds r join payments p on p.id = r.payment_id join invoices i on i.id = p.invoice_id
  where r.amount_minor > 0
)
insert into credit_notes (id, organization_id, invoice_id, series, number, currency, amount_minor, reason, customer, issued_at)
select id, organization_id, invoice_id, series, row_number() over (partition by series order by refunded_at, id), currency, amount_minor, reason,
  customer, refunded_at
from numbered;
--> statement-breakpoint
insert into invoice_counters (series, last_number) select series, max(number) from credit_notes group by series;
--> statement-breakpoint
update refunds r set credit_note_id = r.id where exists (select 1 from credit_notes c where c.id = r.id);
--> statement-breakpoint
alter table refunds add constraint refunds_credit_note check (credit_note_id is not null or amount_minor = 0);
--> statement-breakpoint
update payments p set refunded_minor = r.total from (select payment_id, sum(amount_minor) as total from refunds group by payment_id) r where r.payment_id = p.id;
--> statement-breakpoint
update invoices i set credited_minor = c.total from (select invoice_id, sum(amount_minor) as total from credit_notes group by invoice_id) c where c.invoice_id = i.id;
--> statement-breakpoint

-- Never more is given back than was paid: the sums stand beside what they must not exceed, whoever writes, and their rows are locked by it.
create function refunds_add_up() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update payments set refunded_minor = refunded_minor + new.amount_minor where id = new.payment_id;
  return null;
end
$$;
--> statement-breakpoint
create trigger refunds_add_up after insert on refunds for each row execute function refunds_add_up();
--> statement-breakpoint
create function credit_notes_add_up() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update invoices set credited_minor = credited_minor + new.amount_minor where id = new.invoice_id;
  return null;
end
$$;
--> statement-breakpoint
create trigger credit_notes_add_up after insert on credit_notes for each row execute function credit_notes_add_up();
--> statement-breakpoint
create trigger credit_notes_immutable before update or delete on credit_notes for each row execute function immutable_row();
--> statement-breakpoint

-- What was asked for stays what it was, and money that came does not go away again.
create function payment_intents_frozen() returns trigger language plpgsql as $$
begin
  if (new.id, new.organization_id, new.purpose, new.invoice_id, new.provider, new.method_id, new.currency, new.amount_minor, new.started_at)
     is distinct from
     (old.id, old.organization_id, old.purpose, old.invoice_id, old.provider, old.method_id, old.currency, old.amount_minor, old.started_at) then
    raise exception 'payment intent % is frozen', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.status = 'succeeded' and (new.status, new.received_minor) is distinct from (old.status, old.received_minor) then
    raise exception 'payment intent % has succeeded', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.status in ('failed', 'expired', 'cancelled') and new.status in ('created', 'pending') then
    raise exception 'payment intent % has ended', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger payment_intents_frozen before update on payment_intents for each row execute function payment_intents_frozen();
--> statement-breakpoint
create function refunds_settled() returns trigger language plpgsql as $$
begin
  if old.status = 'succeeded' then
    raise exception 'refund % is settled', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger refunds_settled before update on refunds for each row execute function refunds_settled();
--> statement-breakpoint

-- Who changes what a wallet holds takes its row first, in the order of the house's locks. The roles may not update it, so this locks for them.
create function lock_wallet(organization uuid, money char(3)) returns bigint language sql security definer set search_path = pg_catalog, public as $$
  select balance_minor from ledger_accounts where organization_id = organization and kind = 'wallet' and currency = money for no key update
$$;
--> statement-breakpoint
revoke all on function lock_wallet(uuid, char) from public;
--> statement-breakpoint
grant execute on function lock_wallet(uuid, char) to sewa_app, sewa_worker;
--> statement-breakpoint

-- The server starts payments and takes notices in; the worker asks providers and settles.
grant select, insert on credit_notes, wallet_adjustments, payment_notices, invoice_collections to sewa_app, sewa_worker;
--> statement-breakpoint
grant select, insert, update on payment_intents, payment_methods, auto_top_ups to sewa_app, sewa_worker;
--> statement-breakpoint
grant update on invoice_collections, payment_notices to sewa_worker;
--> statement-breakpoint
grant delete on payment_notices to sewa_worker;
--> statement-breakpoint
grant update (destination, status, provider_reference, failure, asked_at, looks, next_look_at) on refunds to sewa_worker;
