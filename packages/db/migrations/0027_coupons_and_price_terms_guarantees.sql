-- Words of coupons and lines, and the rights: terms of coupons and prices are never edited, nor is it forgotten who had which coupon or trial.

alter table invoice_lines drop constraint invoice_lines_words;
--> statement-breakpoint
alter table invoice_lines add constraint invoice_lines_words check (kind in ('plan', 'parameter', 'change', 'usage', 'setup', 'discount'));
--> statement-breakpoint
alter table coupons add constraint coupons_words check (kind in ('percent', 'amount'));
--> statement-breakpoint
grant select, insert, delete on coupons, coupon_plans to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (redeemed, deactivated_at) on coupons to sewa_app, sewa_worker;
--> statement-breakpoint
grant select, insert on coupon_redemptions, coupon_uses to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (periods_left, returned_at) on coupon_redemptions to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (returned_at) on coupon_uses to sewa_app, sewa_worker;
--> statement-breakpoint
drop trigger prices_immutable on prices;
--> statement-breakpoint
create trigger prices_immutable before update of id, plan_id, currency, amount_minor, setup_minor, trial_periods, trial_amount_minor, cost_minor,
  markup_basis_points on prices for each row execute function immutable_row();
--> statement-breakpoint
grant select, insert on trials to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (returned_at) on trials to sewa_app, sewa_worker;
