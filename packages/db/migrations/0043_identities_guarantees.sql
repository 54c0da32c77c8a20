-- Signing in by a provider: rights, words, the fence, and the doors for who is not known yet.

alter table identities add constraint identities_named check (
  length(issuer) between 1 and 500 and length(subject) between 1 and 255
);
--> statement-breakpoint
alter table sign_in_attempts add constraint sign_in_attempts_purpose check (purpose in ('sign_in', 'link', 'confirm'));
--> statement-breakpoint
alter table sign_in_attempts add constraint sign_in_attempts_hashes check (
  id ~ '^[0-9a-f]{64}$' and browser_hash ~ '^[0-9a-f]{64}$' and session_id ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint
alter table account_tokens drop constraint account_tokens_kind;
--> statement-breakpoint
alter table account_tokens add constraint account_tokens_kind check (
  kind in ('verify_email', 'reset_password', 'admin_invite', 'socket_ticket', 'sign_in_step')
);
--> statement-breakpoint
grant select, insert, delete on identities to sewa_app, sewa_worker;
--> statement-breakpoint
-- Whose an identity is, is written once.
grant update (last_used_at) on identities to sewa_app, sewa_worker;
--> statement-breakpoint
-- The server begins attempts and cannot read them: it brings both halves of one to the door below.
grant insert on sign_in_attempts to sewa_app;
--> statement-breakpoint
grant select, insert, delete on sign_in_attempts to sewa_worker;
--> statement-breakpoint
select fence('identities', $$user_id in (
  select m.user_id from public.members m where m.organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))$$);
--> statement-breakpoint
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
-- Of who comes from a provider, which has proved who they are there.
create function sign_in_by_identity(wanted_issuer text, wanted_subject text) returns table (
  user_id uuid, email text, name text, locale text, is_operator boolean, email_verified_at timestamptz, suspended_at timestamptz, identity_id uuid
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.id, u.email, u.name, u.locale, u.is_operator, u.email_verified_at, u.suspended_at, i.id
  from public.identities i join public.users u on u.id = i.user_id where i.issuer = wanted_issuer and i.subject = wanted_subject
$$;
--> statement-breakpoint
-- Uses it up: of two who come back at once, one does. Another browser finds nothing, and takes nothing from the one that began.
create function spend_sign_in_attempt(attempt text, browser text, at_provider text, at timestamptz) returns table (
  purpose text, user_id uuid, session_id text, return_to text, created_at timestamptz
) language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from public.sign_in_attempts a
  where a.id = attempt and a.browser_hash is not distinct from browser and a.provider = at_provider and a.expires_at > at
  returning a.purpose, a.user_id, a.session_id, a.return_to, a.created_at
$$;
--> statement-breakpoint
revoke all on function sign_in_by_identity(text, text), spend_sign_in_attempt(text, text, text, timestamptz) from public;
--> statement-breakpoint
grant execute on function sign_in_by_identity(text, text), spend_sign_in_attempt(text, text, text, timestamptz) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
