-- Words, an end that is for good, and the rights of API tokens.

alter table api_tokens add constraint api_tokens_scopes check (
  jsonb_typeof(scopes) = 'array' and jsonb_array_length(scopes) > 0
  and scopes <@ '["read", "apps", "orders", "billing", "credentials", "organization"]'
);
--> statement-breakpoint
alter table api_tokens add constraint api_tokens_networks check (
  jsonb_typeof(allowed_networks) = 'array' and jsonb_array_length(allowed_networks) <= 20
);
--> statement-breakpoint
grant select, insert on api_tokens to sewa_app, sewa_worker;
--> statement-breakpoint
-- What a token may is written once: nobody gives one more scopes, more networks or more time.
grant update (last_used_at, last_used_address, revoked_at) on api_tokens to sewa_app, sewa_worker;
--> statement-breakpoint

-- A token that has ended never lives again.
create function api_tokens_terminal() returns trigger language plpgsql as $$
begin
  if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at then
    raise exception 'api token % is revoked for good', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger api_tokens_terminal before update of revoked_at on api_tokens for each row execute function api_tokens_terminal();
--> statement-breakpoint

-- Tokens end with the membership, whoever ends it: somebody who becomes a member again must not find them alive. Core has revoked
-- and recorded them before it comes to this.
create function members_end_tokens() returns trigger language plpgsql as $$
begin
  update api_tokens set revoked_at = now()
    where organization_id = old.organization_id and user_id = old.user_id and revoked_at is null;
  return null;
end
$$;
--> statement-breakpoint
create trigger members_end_tokens after delete on members for each row execute function members_end_tokens();
--> statement-breakpoint

select fence('api_tokens');
--> statement-breakpoint
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
-- Of who shows a token, found by its hash: only the row says to which organization it belongs.
create function sign_in_by_api_token(token_hash text) returns table (
  token_id uuid, organization_id uuid, user_id uuid, role text, scopes jsonb, allowed_networks jsonb,
  expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz, suspended_at timestamptz
) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.id, t.organization_id, t.user_id, m.role, t.scopes, t.allowed_networks, t.expires_at, t.revoked_at, t.last_used_at, u.suspended_at
  from public.api_tokens t join public.users u on u.id = t.user_id
    join public.members m on m.organization_id = t.organization_id and m.user_id = t.user_id
  where t.hash = token_hash
$$;
--> statement-breakpoint
revoke all on function sign_in_by_api_token(text) from public;
--> statement-breakpoint
grant execute on function sign_in_by_api_token(text) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
