-- How far a ledger was found true, and the one way in which a transaction goes from it.

alter table ledger_checkpoints add constraint ledger_checkpoints_words check (
  kind in ('start', 'latest') and sequence > 0 and chain ~ '^[0-9a-f]{64}$'
);
--> statement-breakpoint
grant select on ledger_checkpoints to sewa_app, sewa_worker;
--> statement-breakpoint
grant insert, update on ledger_checkpoints to sewa_worker;
--> statement-breakpoint
select fence('ledger_checkpoints');
--> statement-breakpoint

-- Removes what the signed beginning of an organization's ledger stands for, entries with their transactions, and answers how many
-- transactions there were. No process has the right to delete any other.
create function forget_ledger(organization uuid) returns bigint language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (
    select t.id from public.ledger_transactions t
      join public.ledger_checkpoints c on c.organization_id = t.organization_id and c.kind = 'start' and t.sequence <= c.sequence
    where t.organization_id = organization
  ), gone_entries as (
    delete from public.ledger_entries e using gone where e.transaction_id = gone.id
  ), gone_transactions as (
    delete from public.ledger_transactions t using gone where t.id = gone.id returning t.id
  )
  select count(*) from gone_transactions
$$;
--> statement-breakpoint
revoke all on function forget_ledger(uuid) from public;
--> statement-breakpoint
grant execute on function forget_ledger(uuid) to sewa_worker;
--> statement-breakpoint

-- As it was; what signs the ledger needs its key too.
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
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
    select c.key_id, 'signature' from public.ledger_checkpoints c
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
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
