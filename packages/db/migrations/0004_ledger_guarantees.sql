-- What keeps the ledger true whoever writes: closed words, sums of zero, reversals in full, balances that only entries move, and no second thoughts.

alter table ledger_accounts add constraint ledger_accounts_words check (
  kind in ('receivable', 'cash', 'revenue', 'bad_debt') and normal_side in ('debit', 'credit')
);
--> statement-breakpoint
alter table ledger_transactions add constraint ledger_transactions_words check (
  kind in ('invoice_opened', 'invoice_voided', 'invoice_written_off', 'payment_received', 'payment_refunded')
  and source_type in ('invoice', 'payment', 'refund')
  and digest ~ '^[0-9a-f]{64}$' and chain ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint

-- Balances are projections: nobody but this trigger writes them, and the check on the row refuses what must not go below zero.
create function ledger_move_balance() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update ledger_accounts
  set balance_minor = balance_minor + case normal_side when 'debit' then new.amount_minor else -new.amount_minor end
  where id = new.account_id;
  return null;
end
$$;
--> statement-breakpoint
create trigger ledger_move_balance after insert on ledger_entries for each row execute function ledger_move_balance();
--> statement-breakpoint

-- At commit, when all of its entries are there: money is moved, never made; what is reversed is reversed whole.
create function ledger_check_transaction() returns trigger language plpgsql as $$
declare
  checked uuid := case tg_table_name when 'ledger_entries' then (to_jsonb(new) ->> 'transaction_id')::uuid else new.id end;
begin
  if (select count(*) from ledger_entries where transaction_id = checked) < 2
    or exists (select 1 from ledger_entries where transaction_id = checked group by currency having sum(amount_minor) <> 0) then
    raise exception 'ledger transaction % does not balance', checked using errcode = 'integrity_constraint_violation';
  end if;
  if exists (
    select 1 from ledger_transactions t join ledger_entries e on e.transaction_id in (t.id, t.reverses_id)
    where t.id = checked and t.reverses_id is not null
    group by e.account_id having sum(e.amount_minor) <> 0
  ) then
    raise exception 'ledger transaction % does not reverse the other in full', checked using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create constraint trigger ledger_transactions_balance after insert on ledger_transactions
  deferrable initially deferred for each row execute function ledger_check_transaction();
--> statement-breakpoint
create constraint trigger ledger_entries_balance after insert on ledger_entries
  deferrable initially deferred for each row execute function ledger_check_transaction();
--> statement-breakpoint

grant select, insert on ledger_accounts, ledger_transactions, ledger_entries to sewa_app, sewa_worker;
