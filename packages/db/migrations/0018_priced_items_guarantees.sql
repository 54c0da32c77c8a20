-- The amount of a subscription is what its items come to, whoever writes.

alter table invoice_lines add constraint invoice_lines_words check (kind in ('plan', 'parameter', 'change'));
--> statement-breakpoint
create function items_total(items jsonb) returns numeric language sql immutable strict as $$
  select coalesce(sum((item ->> 'quantity')::numeric * (item ->> 'unitAmountMinor')::numeric), 0) from jsonb_array_elements(items) item
$$;
--> statement-breakpoint
alter table subscriptions add constraint subscriptions_items check (jsonb_array_length(items) > 0 and items_total(items) = amount_minor);
