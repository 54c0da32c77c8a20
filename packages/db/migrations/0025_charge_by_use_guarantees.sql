-- Words of charges by use, what of them is never changed, and the rights on them.

alter table invoices drop constraint invoices_words;
--> statement-breakpoint
alter table invoices add constraint invoices_words check (
  status in ('draft', 'open', 'paid', 'void', 'uncollectible') and reason in ('order', 'renewal', 'reactivation', 'change', 'usage')
);
--> statement-breakpoint
alter table invoice_lines drop constraint invoice_lines_words;
--> statement-breakpoint
alter table invoice_lines add constraint invoice_lines_words check (kind in ('plan', 'parameter', 'change', 'usage'));
--> statement-breakpoint
create trigger usage_prices_immutable before update or delete on usage_prices for each row execute function immutable_row();
--> statement-breakpoint

-- A record is written once and billed once. Only an invoice that was voided gives it back.
create function usage_records_frozen() returns trigger language plpgsql as $$
begin
  if (new.organization_id, new.instance_id, new.subscription_id, new.meter, new.hour_at, new.revision, new.quantity, new.price_id,
      new.term_number, new.period_index)
     is distinct from
     (old.organization_id, old.instance_id, old.subscription_id, old.meter, old.hour_at, old.revision, old.quantity, old.price_id,
      old.term_number, old.period_index) then
    raise exception 'usage records are immutable' using errcode = 'integrity_constraint_violation';
  end if;
  if old.invoice_line_id is not null and new.invoice_line_id is distinct from old.invoice_line_id and (
    new.invoice_line_id is not null or not exists (
      select 1 from invoice_lines l join invoices i on i.id = l.invoice_id where l.id = old.invoice_line_id and i.status = 'void')
  ) then
    raise exception 'a usage record is billed once' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger usage_records_frozen before update on usage_records for each row execute function usage_records_frozen();
--> statement-breakpoint

grant select on usage_prices, usage_terms, usage_records, spending_limits to sewa_app, sewa_worker;
--> statement-breakpoint
grant insert on usage_prices, usage_terms, spending_limits to sewa_app, sewa_worker;
--> statement-breakpoint
grant update on usage_terms, spending_limits to sewa_app, sewa_worker;
--> statement-breakpoint
-- The server opens and voids invoices; what is on them is rated by the worker alone.
grant update (invoice_line_id) on usage_records to sewa_app, sewa_worker;
--> statement-breakpoint
grant insert on usage_records to sewa_worker;
--> statement-breakpoint
-- The server asks the books, which look at what was counted.
grant select on simulated_hours to sewa_app;
--> statement-breakpoint
grant select, insert, update, delete on simulated_hours to sewa_worker;
