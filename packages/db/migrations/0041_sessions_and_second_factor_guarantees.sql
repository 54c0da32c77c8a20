-- Sessions end sooner than they used to, also those that live; and the rights and words of the second factor.

-- Lifted for what is changed in all organizations at once; the runner puts both up again.
alter table sessions no force row level security;
--> statement-breakpoint
alter table users no force row level security;
--> statement-breakpoint
update sessions s set
  absolute_expires_at = least(s.absolute_expires_at, s.created_at + life.span),
  expires_at = least(s.expires_at, s.created_at + life.span),
  confirmed_at = s.created_at
from (select id, case when is_operator then interval '12 hours' else interval '30 days' end as span from users) life
where life.id = s.user_id;
--> statement-breakpoint
-- Asked for before the first code was seen, a factor would lock its owner out; and what was seen is remembered from the first on.
alter table second_factors add constraint second_factors_enabled check ((enabled_at is null) = (last_counter is null));
--> statement-breakpoint
alter table recovery_codes add constraint recovery_codes_hash check (hash ~ '^[0-9a-f]{64}$');
--> statement-breakpoint
grant select, insert, update, delete on second_factors to sewa_app, sewa_worker;
--> statement-breakpoint
grant select, insert, delete on recovery_codes to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (used_at) on recovery_codes to sewa_app, sewa_worker;
--> statement-breakpoint

-- A code is worth something once, whoever asks.
create function recovery_codes_once() returns trigger language plpgsql as $$
begin
  if old.used_at is not null then
    raise exception 'a recovery code was used already' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger recovery_codes_once before update on recovery_codes for each row execute function recovery_codes_once();
--> statement-breakpoint
create function second_factors_forward() returns trigger language plpgsql as $$
begin
  if new.last_counter <= old.last_counter then
    raise exception 'a code of the second factor was used already' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger second_factors_forward before update of last_counter on second_factors for each row execute function second_factors_forward();
--> statement-breakpoint

-- With what a user signs in, it belongs to the organizations that they are a member of.
select fence(own.name::regclass, $$user_id in (
  select m.user_id from public.members m where m.organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))$$)
from (values ('second_factors'), ('recovery_codes')) own (name);
--> statement-breakpoint
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
drop function sign_in_by_session(text, uuid);
--> statement-breakpoint
create function sign_in_by_session(session text, spoken_for uuid) returns table (
  user_id uuid, email text, name text, locale text, is_operator boolean, email_verified_at timestamptz, suspended_at timestamptz,
  organization_id uuid, role text, session_id text, expires_at timestamptz, absolute_expires_at timestamptz,
  handle uuid, client_address text, user_agent text, last_seen_at timestamptz, confirmed_at timestamptz
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email, u.name, u.locale, u.is_operator, u.email_verified_at, u.suspended_at, m.organization_id, m.role,
    s.id, s.expires_at, s.absolute_expires_at, s.handle, s.client_address, s.user_agent, s.last_seen_at, s.confirmed_at
  from public.sessions s join public.users u on u.id = s.user_id left join public.members m on m.user_id = u.id
    and m.organization_id = coalesce(spoken_for, (
      select h.organization_id from public.members h where h.user_id = u.id order by h.created_at, h.organization_id limit 1))
  where s.id = session
$$;
--> statement-breakpoint
-- Not more often than every so often: whoever comes between finds it done.
create function mark_session_seen(session text, at timestamptz, unless_since timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update public.sessions s set last_seen_at = at where s.id = session and s.last_seen_at <= unless_since
$$;
--> statement-breakpoint
-- Who may work in the house, kept from others until the transaction ends: two who suspend each other must not both find the other one.
create function lock_operators() returns setof uuid language sql security definer set search_path = pg_catalog, pg_temp as $$
  select u.id from public.users u where u.is_operator and u.suspended_at is null order by u.id for no key update
$$;
--> statement-breakpoint
create or replace function keys_in_use() returns table (key_id text, data_keys bigint, secrets bigint, signatures bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select used.key_id, count(*) filter (where used.kind = 'data_key'), count(*) filter (where used.kind = 'secret'),
    count(*) filter (where used.kind = 'signature')
  from (
    select d.key_id, 'data_key' as kind from public.data_keys d
    union all
    select c.key_id, 'signature' from public.audit_checkpoints c
    union all
    select f.key_id, 'secret' from public.second_factors f
    union all
    select s.key_id, 'secret' from public.instance_secrets s where not exists (select 1 from public.data_keys d where d.id::text = s.key_id)
    union all
    select m.key_id, 'secret' from public.payment_methods m
    where m.key_id is not null and not exists (select 1 from public.data_keys d where d.id::text = m.key_id)
  ) used
  group by used.key_id
$$;
--> statement-breakpoint
revoke all on function sign_in_by_session(text, uuid), mark_session_seen(text, timestamptz, timestamptz), lock_operators() from public;
--> statement-breakpoint
grant execute on function sign_in_by_session(text, uuid), mark_session_seen(text, timestamptz, timestamptz), lock_operators() to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
