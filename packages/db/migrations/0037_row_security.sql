-- The second wall between customers: who forgets to say whose rows he means, gets none. See docs/adr/0022 and the README of @sewa/db.

-- Fences a table: the server sees and writes what belongs to the organization that its transaction is bound to, and an operator who is
-- bound to none may read the rows of all; the worker is not narrowed. The owner is, which is what FORCE is for: a definer function must
-- not reach further than its caller, and a data migration says that it does. `is_own` decides where a table has no `organization_id`.
create function fence(
  fenced regclass, is_own text default $$organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid)$$
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s enable row level security, force row level security', fenced);
  execute format('create policy tenant on %s to sewa_app, sewa_owner using (%s) with check (%2$s)', fenced, is_own);
  execute format('create policy house on %s for select to sewa_app using ((select current_setting(''app.scope'', true)) = ''house'')', fenced);
  execute format('create policy worker on %s to sewa_worker using (true) with check (true)', fenced);
end
$$;
--> statement-breakpoint
revoke all on function fence(regclass, text) from public;
--> statement-breakpoint

select fence(c.oid) from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname = 'organization_id' and not a.attisdropped
  and c.relname <> 'coupons';
--> statement-breakpoint
select fence('organizations', $$id = (select nullif(current_setting('app.organization_id', true), '')::uuid)$$);
--> statement-breakpoint
-- A person belongs to the organizations that they are a member of, and with them what they sign in with.
select fence('users', $$id in (
  select m.user_id from public.members m where m.organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))$$);
--> statement-breakpoint
select fence(own.name::regclass, $$user_id in (
  select m.user_id from public.members m where m.organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))$$)
from (values ('sessions'), ('account_tokens')) own (name);
--> statement-breakpoint
-- A coupon belongs to the house. One that is meant for a single organization does not exist for the others.
select fence('coupons', $$organization_id is null or organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid)$$);
--> statement-breakpoint
select fence('coupon_plans', 'exists (select 1 from public.coupons c where c.id = coupon_id)');
--> statement-breakpoint
-- Operators hand coupons out and take them back, also those for one organization. Customers do neither, whatever they see.
create policy house_writes on coupons to sewa_app
  using ((select current_setting('app.scope', true)) = 'house') with check ((select current_setting('app.scope', true)) = 'house');
--> statement-breakpoint
create policy house_makes on coupons as restrictive for insert to sewa_app with check ((select current_setting('app.scope', true)) = 'house');
--> statement-breakpoint
create policy house_ends on coupons as restrictive for delete to sewa_app using ((select current_setting('app.scope', true)) = 'house');
--> statement-breakpoint
create policy house_makes on coupon_plans as restrictive for insert to sewa_app with check ((select current_setting('app.scope', true)) = 'house');
--> statement-breakpoint
create policy house_ends on coupon_plans as restrictive for delete to sewa_app using ((select current_setting('app.scope', true)) = 'house');
--> statement-breakpoint

-- What the owner does for others, it now does inside the fence of the transaction: a row that it does not find there is a defect, and said.
create or replace function ledger_move_balance() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.ledger_accounts
  set balance_minor = balance_minor + case normal_side when 'debit' then new.amount_minor else -new.amount_minor end
  where id = new.account_id;
  if not found then
    raise exception 'ledger account % is not of the organization of this transaction', new.account_id using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create or replace function refunds_add_up() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.payments set refunded_minor = refunded_minor + new.amount_minor where id = new.payment_id;
  if not found then
    raise exception 'payment % is not of the organization of this transaction', new.payment_id using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create or replace function credit_notes_add_up() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.invoices set credited_minor = credited_minor + new.amount_minor where id = new.invoice_id;
  if not found then
    raise exception 'invoice % is not of the organization of this transaction', new.invoice_id using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;
--> statement-breakpoint
revoke all on function ledger_move_balance(), refunds_add_up(), credit_notes_add_up() from public;
--> statement-breakpoint
create or replace function lock_wallet(organization uuid, money char(3)) returns bigint language sql security definer set search_path = pg_catalog, pg_temp as $$
  select balance_minor from public.ledger_accounts where organization_id = organization and kind = 'wallet' and currency = money for no key update
$$;
--> statement-breakpoint

-- Signing in: before it is known who comes, no organization can be named. Each of these doors opens for who brings a secret, its hash or an
-- address, and for that one only. They belong to the worker, whom no fence narrows.
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
alter function enqueue_job(text, json, text, timestamptz, int, int) set search_path = pg_catalog, pg_temp;
--> statement-breakpoint
alter function read_jobs(bigint, text, text, bigint, int) set search_path = pg_catalog, pg_temp;
--> statement-breakpoint
alter function retry_job(bigint) set search_path = pg_catalog, pg_temp;
--> statement-breakpoint
alter function cancel_job(bigint) set search_path = pg_catalog, pg_temp;
--> statement-breakpoint
create function sign_in_by_email(wanted text) returns table (
  user_id uuid, email text, name text, locale text, is_operator boolean, email_verified_at timestamptz, suspended_at timestamptz,
  password_hash text
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email, u.name, u.locale, u.is_operator, u.email_verified_at, u.suspended_at, u.password_hash
  from public.users u where u.email = wanted
$$;
--> statement-breakpoint
-- For whom somebody acts who names no organization: the one that they have been a member of for longest.
create function home_of(wanted uuid) returns table (organization_id uuid, role text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select m.organization_id, m.role from public.members m where m.user_id = wanted order by m.created_at, m.organization_id limit 1
$$;
--> statement-breakpoint
-- With the membership in the organization that is named, or in the home where none is; without one where the user is no member.
create function sign_in_by_session(session text, spoken_for uuid) returns table (
  user_id uuid, email text, name text, locale text, is_operator boolean, email_verified_at timestamptz, suspended_at timestamptz,
  organization_id uuid, role text, session_id text, expires_at timestamptz, absolute_expires_at timestamptz
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email, u.name, u.locale, u.is_operator, u.email_verified_at, u.suspended_at, m.organization_id, m.role,
    s.id, s.expires_at, s.absolute_expires_at
  from public.sessions s join public.users u on u.id = s.user_id left join public.members m on m.user_id = u.id
    and m.organization_id = coalesce(spoken_for, (
      select h.organization_id from public.members h where h.user_id = u.id order by h.created_at, h.organization_id limit 1))
  where s.id = session
$$;
--> statement-breakpoint
-- Of a mailed link, before it is used up.
create function sign_in_by_token(token text, token_kind text, at timestamptz) returns table (token_id text, user_id uuid, email text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.id, u.id, u.email from public.account_tokens t join public.users u on u.id = t.user_id
  where t.id = token and t.kind = token_kind and t.kind <> 'socket_ticket' and t.used_at is null and t.expires_at > at
$$;
--> statement-breakpoint
-- Uses it up: of two who come at once, one gets the session.
create function spend_socket_ticket(ticket text, at timestamptz) returns table (session_id text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update public.account_tokens t set used_at = at
  where t.id = ticket and t.kind = 'socket_ticket' and t.used_at is null and t.expires_at > at
  returning t.session_id
$$;
--> statement-breakpoint
create function prolong_session(session text, until timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update public.sessions s set expires_at = least(until, s.absolute_expires_at) where s.id = session
$$;
--> statement-breakpoint
create function end_session(session text) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from public.sessions s where s.id = session
$$;
--> statement-breakpoint
-- False, and nothing is made, when the address is taken. The row is out of sight until its membership is written.
create function sign_up(new_id uuid, new_email text, new_name text, new_locale text, new_password_hash text) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with made as (
    insert into public.users (id, email, name, locale, password_hash) values (new_id, new_email, new_name, new_locale, new_password_hash)
    on conflict (email) do nothing returning 1
  )
  select exists (select 1 from made)
$$;
--> statement-breakpoint
-- Until the transaction ends, nobody else makes an organization for this user. How many are theirs does not say which.
create function lock_founder(wanted uuid) returns table (name text, owned int)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform 1 from public.users u where u.id = wanted for no key update;
  return query select u.name, (select count(*)::int from public.members m where m.user_id = wanted and m.role = 'owner')
    from public.users u where u.id = wanted;
end
$$;
--> statement-breakpoint
-- Whatever a user belongs to, oldest first.
create function memberships_of(wanted uuid, after uuid, row_limit int) returns table (
  role text, id uuid, name text, slug text, time_zone text, tax_id text, country char(2), settings jsonb
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select m.role, o.id, o.name, o.slug, o.time_zone, o.tax_id, o.country, o.settings
  from public.members m join public.organizations o on o.id = m.organization_id
  where m.user_id = wanted and (after is null or o.id > after) order by o.id limit row_limit
$$;
--> statement-breakpoint
-- Of a mailed invitation, with what whoever holds the link may know.
create function invitation_by_token(token text) returns table (
  invitation_id uuid, organization_id uuid, organization_name text, inviter_name text, email text, role text, status text, expires_at timestamptz
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select i.id, i.organization_id, o.name, u.name, i.email, i.role, i.status, i.expires_at
  from public.invitation_tokens t
    join public.invitations i on i.organization_id = t.organization_id and i.id = t.invitation_id
    join public.organizations o on o.id = i.organization_id join public.users u on u.id = i.invited_by
  where t.id = token
$$;
--> statement-breakpoint
-- Whether somebody with this mailbox has had the trial of an app, for whichever organization. The trial does not come out.
create function is_trial_taken(offering uuid, owner_hash text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (select 1 from public.trials t where t.offering_id = offering and t.email_hash = owner_hash and t.returned_at is null)
$$;
--> statement-breakpoint
-- How much room is held on a machine, by whomever, without one instance. Whose it is does not come out.
create function sum_holds_on_node(node text, except_instance uuid) returns table (cpu_millis bigint, memory_bytes bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum(h.cpu_millis), 0)::bigint, coalesce(sum(h.memory_bytes), 0)::bigint
  from public.capacity_holds h join public.instances i on i.id = h.instance_id
  where i.node_name = node and i.id <> except_instance
$$;
--> statement-breakpoint
revoke all on function is_trial_taken(uuid, text), sum_holds_on_node(text, uuid), sign_in_by_email(text), sign_in_by_session(text, uuid), home_of(uuid), lock_founder(uuid),
  memberships_of(uuid, uuid, int), invitation_by_token(text), sign_in_by_token(text, text, timestamptz),
  spend_socket_ticket(text, timestamptz), prolong_session(text, timestamptz), end_session(text), sign_up(uuid, text, text, text, text) from public;
--> statement-breakpoint
grant execute on function is_trial_taken(uuid, text), sum_holds_on_node(text, uuid), sign_in_by_email(text), sign_in_by_session(text, uuid), home_of(uuid), lock_founder(uuid),
  memberships_of(uuid, uuid, int), invitation_by_token(text), sign_in_by_token(text, text, timestamptz),
  spend_socket_ticket(text, timestamptz), prolong_session(text, timestamptz), end_session(text), sign_up(uuid, text, text, text, text) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
