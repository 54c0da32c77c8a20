-- Words of add-ons and their lines, and the rights: what an add-on adds and what it costs is never edited, nor is one forgotten.

alter table addons add constraint addons_words check (status in ('published', 'hidden'));
--> statement-breakpoint
alter table invoice_lines drop constraint invoice_lines_words;
--> statement-breakpoint
alter table invoice_lines add constraint invoice_lines_words check (kind in ('plan', 'parameter', 'change', 'usage', 'setup', 'discount', 'addon'));
--> statement-breakpoint
create trigger addons_immutable before update of id, plan_id, slug, adds_storage_bytes on addons for each row execute function immutable_row();
--> statement-breakpoint
create trigger addon_prices_immutable before update of id, addon_id, currency, amount_minor on addon_prices for each row execute function immutable_row();
--> statement-breakpoint
grant select, insert on addons, addon_prices to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (name, status, max_count) on addons to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (superseded_at) on addon_prices to sewa_app, sewa_worker;
