-- Words, the last owner, and the rights of teams.

alter table members drop constraint members_role;
--> statement-breakpoint
alter table members add constraint members_role check (role in ('owner', 'admin', 'developer', 'billing', 'viewer'));
--> statement-breakpoint
alter table organizations add constraint organizations_slug check (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$');
--> statement-breakpoint
alter table invitations add constraint invitations_words check (
  role in ('owner', 'admin', 'developer', 'billing', 'viewer') and status in ('pending', 'accepted', 'declined', 'revoked', 'expired')
);
--> statement-breakpoint
alter table notifications add constraint notifications_locale check (locale in ('id', 'en'));
--> statement-breakpoint
grant delete on members to sewa_app, sewa_worker;
--> statement-breakpoint
grant select, insert on invitations, invitation_tokens to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (status, user_id, settled_at) on invitations to sewa_app, sewa_worker;
--> statement-breakpoint
grant delete on invitation_tokens to sewa_worker;
--> statement-breakpoint

-- An organization that has lost its last owner could never get one again. Core refuses in words before it comes to this. Looked at when the
-- transaction commits, since ownership is handed over in two statements; the lock of the organization lets two who leave at once see each other.
create function members_last_owner() returns trigger language plpgsql as $$
begin
  perform 1 from organizations where id = old.organization_id for no key update;
  if not exists (select 1 from members where organization_id = old.organization_id and role = 'owner') then
    raise exception 'organization % would have no owner', old.organization_id using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create constraint trigger members_last_owner after update of role, organization_id or delete on members
  deferrable initially deferred for each row when (old.role = 'owner') execute function members_last_owner();
--> statement-breakpoint

-- What became of an invitation stays so.
create function invitations_terminal() returns trigger language plpgsql as $$
begin
  if old.status <> 'pending' then
    raise exception 'invitation % is settled for good', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger invitations_terminal before update of status, user_id, settled_at on invitations
  for each row execute function invitations_terminal();
