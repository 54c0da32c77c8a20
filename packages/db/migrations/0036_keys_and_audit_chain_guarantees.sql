-- The chains of the audit: written by triggers alone, append-only but for what has to be forgotten or was signed away. And who may touch keys.

create function audit_digest(said text) returns text language sql immutable as $$
  select encode(sha256(convert_to(said, 'UTF8')), 'hex')
$$;
--> statement-breakpoint

-- Under the lock of the head, which is the last one that a transaction takes. The personal parts of an entry are in the chain as digests over
-- a salt that is erased with them. JSON writes a list in one way only.
create function audit_link() returns trigger language plpgsql as $$
declare
  head record;
begin
  new.client_salt := gen_random_uuid();
  new.client_digest := audit_digest(jsonb_build_array(new.client_salt, new.client_address, new.user_agent)::text);
  new.details_salt := gen_random_uuid();
  new.details_digest := audit_digest(jsonb_build_array(new.details_salt, new.before, new.after, new.reason)::text);
  select audit_sequence, audit_chain into strict head from organization_heads
  where organization_id = new.organization_id for no key update;
  new.sequence := head.audit_sequence + 1;
  new.digest := audit_digest(jsonb_build_array(
    new.organization_id, new.sequence, new.id, new.action, new.actor, new.subject_type, new.subject_id, new.request_id,
    (extract(epoch from new.occurred_at) * 1000)::bigint, (extract(epoch from new.recorded_at) * 1000)::bigint,
    new.client_digest, new.details_digest)::text);
  new.chain := audit_digest(head.audit_chain || new.digest);
  update organization_heads set audit_sequence = new.sequence, audit_chain = new.chain where organization_id = new.organization_id;
  return new;
end
$$;
--> statement-breakpoint
create function operator_audit_link() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  head record;
begin
  new.client_salt := gen_random_uuid();
  new.client_digest := public.audit_digest(jsonb_build_array(new.client_salt, new.client_address, new.user_agent)::text);
  new.details_salt := gen_random_uuid();
  new.details_digest := public.audit_digest(jsonb_build_array(new.details_salt, new.before, new.after, new.reason)::text);
  select audit_sequence, audit_chain into strict head from public.house_head for no key update;
  new.sequence := head.audit_sequence + 1;
  new.digest := public.audit_digest(jsonb_build_array(
    new.sequence, new.id, new.action, new.actor, new.subject_type, new.subject_id, new.request_id,
    (extract(epoch from new.recorded_at) * 1000)::bigint, new.client_digest, new.details_digest)::text);
  new.chain := public.audit_digest(head.audit_chain || new.digest);
  update public.house_head set audit_sequence = new.sequence, audit_chain = new.chain;
  return new;
end
$$;
--> statement-breakpoint
revoke all on function operator_audit_link() from public;
--> statement-breakpoint

-- What was written before there were chains is chained as it stands.
insert into house_head default values;
--> statement-breakpoint
create table audit_before as select * from audit_entries;
--> statement-breakpoint
create table operator_audit_before as select * from operator_audit_entries;
--> statement-breakpoint
delete from audit_entries;
--> statement-breakpoint
delete from operator_audit_entries;
--> statement-breakpoint
create trigger audit_entries_link before insert on audit_entries for each row execute function audit_link();
--> statement-breakpoint
create trigger operator_audit_entries_link before insert on operator_audit_entries for each row execute function operator_audit_link();
--> statement-breakpoint
insert into audit_entries select * from audit_before order by organization_id, id;
--> statement-breakpoint
insert into operator_audit_entries select * from operator_audit_before order by id;
--> statement-breakpoint
drop table audit_before, operator_audit_before;
--> statement-breakpoint
create unique index audit_entries_sequence_key on audit_entries using btree (organization_id, sequence);
--> statement-breakpoint
create unique index operator_audit_entries_sequence_key on operator_audit_entries using btree (sequence);
--> statement-breakpoint
alter table audit_entries add constraint audit_entries_link check (
  sequence > 0 and digest ~ '^[0-9a-f]{64}$' and chain ~ '^[0-9a-f]{64}$' and client_digest ~ '^[0-9a-f]{64}$' and details_digest ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint
alter table operator_audit_entries add constraint operator_audit_entries_link check (
  sequence > 0 and digest ~ '^[0-9a-f]{64}$' and chain ~ '^[0-9a-f]{64}$' and client_digest ~ '^[0-9a-f]{64}$' and details_digest ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint
alter table audit_checkpoints add constraint audit_checkpoints_words check (
  kind in ('start', 'latest') and sequence > 0 and chain ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint

-- An entry stays. Its personal parts may be erased, with their salt and never without; it goes only where a checkpoint says that the
-- chain starts after it.
create function audit_stays() returns trigger language plpgsql as $$
declare
  was jsonb := to_jsonb(old);
  parts text[] := '{}';
begin
  if tg_op = 'DELETE' then
    if exists (
      select 1 from audit_checkpoints c
      where c.kind = 'start' and c.sequence >= old.sequence
        and c.organization_id is not distinct from (was ->> 'organization_id')::uuid
    ) then
      return old;
    end if;
    raise exception 'audit entry % stays', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if new.client_salt is null and new.client_address is null and new.user_agent is null then
    parts := parts || array['client_salt', 'client_address', 'user_agent'];
  end if;
  if new.details_salt is null and new.before is null and new.after is null and new.reason is null then
    parts := parts || array['details_salt', 'before', 'after', 'reason'];
  end if;
  if to_jsonb(new) - parts is distinct from was - parts then
    raise exception 'audit entry % stays as it is', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger audit_entries_stay before update or delete on audit_entries for each row execute function audit_stays();
--> statement-breakpoint
create trigger operator_audit_entries_stay before update or delete on operator_audit_entries for each row execute function audit_stays();
--> statement-breakpoint
create function audit_is_not_emptied() returns trigger language plpgsql as $$
begin
  raise exception '% is not emptied', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;
--> statement-breakpoint
create trigger audit_entries_not_emptied before truncate on audit_entries execute function audit_is_not_emptied();
--> statement-breakpoint
create trigger operator_audit_entries_not_emptied before truncate on operator_audit_entries execute function audit_is_not_emptied();
--> statement-breakpoint
grant select on audit_checkpoints, house_head to sewa_app, sewa_worker;
--> statement-breakpoint
grant insert, update on audit_checkpoints to sewa_worker;
--> statement-breakpoint
grant update (client_salt, client_address, user_agent, details_salt, before, after, reason) on audit_entries, operator_audit_entries to sewa_worker;
--> statement-breakpoint
grant delete on audit_entries, operator_audit_entries to sewa_worker;
--> statement-breakpoint

-- The server makes the key of an organization with its first secret; only the worker closes keys anew.
grant select, insert on data_keys to sewa_app, sewa_worker;
--> statement-breakpoint
grant update (key_id, sealed) on data_keys to sewa_worker;
--> statement-breakpoint
grant select, insert, update on key_rotations to sewa_worker;
--> statement-breakpoint

-- Which keys of the keyring something still needs, over all organizations; the server asks before it starts, and may see no more than that.
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
create function keys_in_use() returns table (key_id text, data_keys bigint, secrets bigint, signatures bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select used.key_id, count(*) filter (where used.kind = 'data_key'), count(*) filter (where used.kind = 'secret'),
    count(*) filter (where used.kind = 'signature')
  from (
    select d.key_id, 'data_key' as kind from public.data_keys d
    union all
    select c.key_id, 'signature' from public.audit_checkpoints c
    union all
    select s.key_id, 'secret' from public.instance_secrets s where not exists (select 1 from public.data_keys d where d.id::text = s.key_id)
    union all
    select m.key_id, 'secret' from public.payment_methods m
    where m.key_id is not null and not exists (select 1 from public.data_keys d where d.id::text = m.key_id)
  ) used
  group by used.key_id
$$;
--> statement-breakpoint
revoke all on function keys_in_use() from public;
--> statement-breakpoint
grant execute on function keys_in_use() to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
