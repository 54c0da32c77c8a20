-- Taxes: no rate twice at once, nothing of them edited but an end, what stands on an invoice or a credit note frozen; the account for what is the state's.

alter table tax_rates add constraint tax_rates_no_overlap
  exclude using gist (name with =, (coalesce(country, '')) with =, tstzrange(starts_at, ends_at) with &&);
--> statement-breakpoint
create trigger tax_rates_immutable before update of id, name, basis_points, is_inclusive, country, starts_at on tax_rates
  for each row execute function immutable_row();
--> statement-breakpoint
create trigger tax_rates_ended before update on tax_rates
  for each row when (old.ends_at is not null) execute function immutable_row();
--> statement-breakpoint
create trigger invoices_documents_frozen before update of tax_minor, seller on invoices
  for each row when (old.status <> 'draft' and (old.tax_minor, old.seller) is distinct from (new.tax_minor, new.seller))
  execute function immutable_row();
--> statement-breakpoint
create trigger instance_changes_tax_frozen before update of added_tax_minor on instance_changes
  for each row when (old.status <> 'planning' and old.added_tax_minor <> new.added_tax_minor) execute function immutable_row();
--> statement-breakpoint
alter table organizations add constraint organizations_country check (country ~ '^[A-Z]{2}$');
--> statement-breakpoint
alter table ledger_accounts drop constraint ledger_accounts_words;
--> statement-breakpoint
alter table ledger_accounts add constraint ledger_accounts_words check (
  kind in ('receivable', 'cash', 'revenue', 'bad_debt', 'wallet', 'refund_due', 'goodwill', 'tax_payable') and normal_side in ('debit', 'credit')
);
--> statement-breakpoint
grant select, insert, update on tax_rates to sewa_app, sewa_worker;
--> statement-breakpoint
grant select, insert on invoice_taxes, credit_note_taxes to sewa_app, sewa_worker;
