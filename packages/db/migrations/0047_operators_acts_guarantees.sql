-- Words, rights and doors of what operators do: holds, hidden plans, and acting as a customer.

alter table instance_holds add constraint instance_holds_message check (char_length(message) between 1 and 500);
--> statement-breakpoint
alter table impersonations add constraint impersonations_reason check (char_length(reason) between 10 and 500);
--> statement-breakpoint
alter table impersonations add constraint impersonations_hour check (ends_at <= started_at + interval '60 minutes');
--> statement-breakpoint
grant select, insert on impersonations to sewa_app, sewa_worker;
--> statement-breakpoint
-- What was begun stays as it was written down; that it is over is found by the worker.
grant update (ended_at) on impersonations to sewa_worker;
--> statement-breakpoint
-- What an operator hides and shows; all else about the catalog is said by its files.
grant update (hidden_at) on offerings, plans to sewa_app;
--> statement-breakpoint
select fence('impersonations');
--> statement-breakpoint
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
drop function sign_in_by_session(text, uuid);
--> statement-breakpoint
-- An operator's session as a customer speaks for one organization, whatever is asked for, and is none once they are no operator at work.
create function sign_in_by_session(session text, spoken_for uuid) returns table (
  user_id uuid, email text, name text, locale text, is_operator boolean, email_verified_at timestamptz, suspended_at timestamptz,
  organization_id uuid, role text, session_id text, expires_at timestamptz, absolute_expires_at timestamptz,
  handle uuid, client_address text, user_agent text, last_seen_at timestamptz, confirmed_at timestamptz,
  operator_id uuid, operator_session_id text, spoken_for_id uuid, impersonation_reason text
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email, u.name, u.locale, u.is_operator, u.email_verified_at, u.suspended_at, m.organization_id, m.role,
    s.id, s.expires_at, s.absolute_expires_at, s.handle, s.client_address, s.user_agent, s.last_seen_at, s.confirmed_at,
    s.operator_id, s.operator_session_id, s.spoken_for_id, s.impersonation_reason
  from public.sessions s join public.users u on u.id = s.user_id left join public.members m on m.user_id = u.id
    and m.organization_id = coalesce(s.spoken_for_id, spoken_for, (
      select h.organization_id from public.members h where h.user_id = u.id order by h.created_at, h.organization_id limit 1))
  where s.id = session and (s.operator_id is null or exists (
    select from public.users o where o.id = s.operator_id and o.is_operator and o.suspended_at is null))
$$;
--> statement-breakpoint
revoke all on function sign_in_by_session(text, uuid) from public;
--> statement-breakpoint
grant execute on function sign_in_by_session(text, uuid) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
