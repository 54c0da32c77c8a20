-- Somebody deletes their account: doors for the server, rights for the worker who erases, and what must hold afterwards.

-- New tables are granted by name: the server gets no right to addresses that are about to be forgotten.
grant select, insert, update on account_deletions to sewa_worker;
--> statement-breakpoint
-- What is forgotten of an event, an invitation or a token is its details: that it happened stays.
grant update (data) on events to sewa_worker;
--> statement-breakpoint
grant update (email) on invitations to sewa_worker;
--> statement-breakpoint
create function events_stay() returns trigger language plpgsql as $$
begin
  if new.data <> '{}'::jsonb then
    raise exception 'event % can be emptied and nothing else', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger events_stay before update on events for each row execute function events_stay();
--> statement-breakpoint
-- Deleted is for good, as is closed.
create function deleted_stays() returns trigger language plpgsql as $$
begin
  raise exception 'what was deleted or closed stays so' using errcode = 'integrity_constraint_violation';
end
$$;
--> statement-breakpoint
create trigger users_deleted_stay before update on users for each row
  when (old.deleted_at is not null and new.deleted_at is distinct from old.deleted_at) execute function deleted_stays();
--> statement-breakpoint
create trigger organizations_closed_stay before update on organizations for each row
  when (old.closed_at is not null and new.closed_at is distinct from old.closed_at) execute function deleted_stays();
--> statement-breakpoint
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
-- Nobody becomes a member, or another one, and nobody is logged in, who is deleted at this moment: waits for who holds the row.
create function users_living() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform 1 from public.users u where u.id = new.user_id for key share;
  if exists (select 1 from public.users u where u.id = new.user_id and u.deleted_at is not null) then
    raise exception 'user % is deleted', new.user_id using errcode = 'integrity_constraint_violation', constraint = 'users_living';
  end if;
  return new;
end
$$;
--> statement-breakpoint
-- Taken before the organizations of the user: from here on nobody makes them a member of another one.
create function lock_account(wanted uuid) returns table (
  email text, is_operator boolean, deleted_at timestamptz
) language sql security definer set search_path = pg_catalog, pg_temp as $$
  select u.email, u.is_operator, u.deleted_at from public.users u where u.id = wanted for update
$$;
--> statement-breakpoint
-- The row stays for what points to it. The address is free from the end of the transaction on.
create function erase_account(wanted uuid, at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.account_deletions (user_id, email, deleted_at) select u.id, u.email, at from public.users u where u.id = wanted;
  delete from public.sessions s where s.user_id = wanted;
  delete from public.account_tokens t where t.user_id = wanted;
  delete from public.recovery_codes c where c.user_id = wanted;
  delete from public.second_factors f where f.user_id = wanted;
  delete from public.identities i where i.user_id = wanted;
  delete from public.sign_in_attempts a where a.user_id = wanted;
  update public.users u set email = 'deleted-' || u.id || '@deleted.invalid', name = 'Deleted user', password_hash = null,
    email_verified_at = null, is_operator = false, suspended_at = null, deleted_at = at
  where u.id = wanted;
end
$$;
--> statement-breakpoint
create or replace function lock_founder(wanted uuid) returns table (name text, owned int)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform 1 from public.users u where u.id = wanted for no key update;
  return query select u.name, (select count(*)::int from public.members m where m.user_id = wanted and m.role = 'owner')
    from public.users u where u.id = wanted and u.deleted_at is null;
end
$$;
--> statement-breakpoint
revoke all on function users_living(), lock_account(uuid), erase_account(uuid, timestamptz) from public;
--> statement-breakpoint
grant execute on function lock_account(uuid), erase_account(uuid, timestamptz) to sewa_app;
--> statement-breakpoint
-- Whoever puts a trigger on a table needs the right to its function.
grant execute on function users_living() to sewa_owner;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
--> statement-breakpoint
create trigger members_living before insert or update of user_id, role on members for each row execute function users_living();
--> statement-breakpoint
create trigger sessions_living before insert on sessions for each row execute function users_living();
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
revoke execute on function users_living() from sewa_owner;
--> statement-breakpoint
set local role sewa_owner;
