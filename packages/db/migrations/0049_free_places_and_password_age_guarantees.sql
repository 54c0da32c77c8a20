-- Places of plans that are one per person: their fence, their rights and the door for those of others. And the age of an operator's password.

grant select, insert on free_places to sewa_app, sewa_worker;
--> statement-breakpoint
-- Nor is it forgotten who had which, after a deletion either: it is given back, and that is all.
grant update (returned_at) on free_places to sewa_app, sewa_worker;
--> statement-breakpoint
select fence('free_places');
--> statement-breakpoint
alter table free_places add constraint free_places_hash check (email_hash ~ '^[0-9a-f]{64}$');
--> statement-breakpoint
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
-- Whether somebody with this mailbox has such a plan of an app, for whichever organization. The place does not come out.
create function is_free_place_taken(offering uuid, owner_hash text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (select 1 from public.free_places p where p.offering_id = offering and p.email_hash = owner_hash and p.returned_at is null)
$$;
--> statement-breakpoint
-- Since when an operator has the password that opens their account; none for who has no password, and for who is no operator.
create function operator_password_set_at(wanted uuid) returns timestamptz
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(u.password_set_at, u.created_at) from public.users u
  where u.id = wanted and u.is_operator and u.password_hash is not null
$$;
--> statement-breakpoint
revoke all on function is_free_place_taken(uuid, text), operator_password_set_at(uuid) from public;
--> statement-breakpoint
grant execute on function is_free_place_taken(uuid, text), operator_password_set_at(uuid) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
