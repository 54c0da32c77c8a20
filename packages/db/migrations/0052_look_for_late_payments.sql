-- Payments that have ended were asked about for a day; from now on for two weeks. Whose looks were over gets the rest of them, or one where the
-- two weeks have passed: money that came since stands at the gateway, and nobody knows of it. Spread over a week, however many they are.
alter table payment_intents no force row level security;
--> statement-breakpoint
update payment_intents set
  looks = case when expires_at < now() - interval '14 days' then 5 else 3 end,
  next_look_at = now() + (hashtext(id::text) & 2147483647) % 604800 * interval '1 second'
where status in ('failed', 'expired', 'cancelled') and asked_at is not null and next_look_at is null;
