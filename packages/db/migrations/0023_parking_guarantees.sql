-- Words and rights of the books' runs, and what the database itself refuses of an organization that is parked.

alter table books_runs add constraint books_runs_mode check (mode in ('recent', 'whole', 'organization'));
--> statement-breakpoint
alter table books_findings add constraint books_findings_kind check (kind in ('books', 'clock'));
--> statement-breakpoint
-- The server asks about one organization before it is unparked; the worker asks about all, and cleans up.
grant select, insert on books_runs to sewa_app;
--> statement-breakpoint
grant select, insert, update on books_findings, books_checkpoints to sewa_app;
--> statement-breakpoint
grant select, insert, delete on books_runs to sewa_worker;
--> statement-breakpoint
grant select, insert, update, delete on books_findings to sewa_worker;
--> statement-breakpoint
grant select, insert, update on books_checkpoints to sewa_worker;
--> statement-breakpoint

-- Core refuses in words before it comes to this; here nobody can forget to ask. Nothing is asked for or taken. Refunds and credit notes
-- are left out: an operator may give money back to put the books right. So are notices of providers, which are kept until it is over.
create function refuse_parked() returns trigger language plpgsql as $$
begin
  if exists (select 1 from organizations where id = new.organization_id and parked_at is not null) then
    raise exception 'organization % is parked', new.organization_id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger invoices_refuse_parked before insert on invoices for each row execute function refuse_parked();
--> statement-breakpoint
create trigger payment_intents_refuse_parked before insert on payment_intents for each row execute function refuse_parked();
--> statement-breakpoint
create trigger payments_refuse_parked before insert on payments for each row execute function refuse_parked();
--> statement-breakpoint
create trigger billing_periods_refuse_parked before insert on billing_periods for each row execute function refuse_parked();
--> statement-breakpoint
-- What is asked for is what is printed: looked at when the transaction commits, since an invoice, its lines and its taxes are written one after the other.
create function invoices_add_up() returns trigger language plpgsql as $$
declare
  checked uuid := case tg_table_name when 'invoices' then new.id else (to_jsonb(coalesce(new, old)) ->> 'invoice_id')::uuid end;
begin
  if exists (
    select 1 from invoices i where i.id = checked and i.status <> 'draft'
      and i.total_minor <> (select coalesce(sum(l.amount_minor), 0) from invoice_lines l where l.invoice_id = i.id)
        + (select coalesce(sum(t.amount_minor), 0) from invoice_taxes t where t.invoice_id = i.id and not t.is_inclusive)
  ) then
    raise exception 'invoice % is not the sum of its lines and taxes', checked using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create constraint trigger invoices_add_up after insert or update of status, total_minor on invoices
  deferrable initially deferred for each row execute function invoices_add_up();
--> statement-breakpoint
create constraint trigger invoice_lines_add_up after insert or update or delete on invoice_lines
  deferrable initially deferred for each row execute function invoices_add_up();
--> statement-breakpoint
create constraint trigger invoice_taxes_add_up after insert or update or delete on invoice_taxes
  deferrable initially deferred for each row execute function invoices_add_up();
