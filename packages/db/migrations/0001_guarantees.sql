-- What Drizzle's schema cannot say: closed word lists, periods that never overlap, frozen rows, grants, and the one door to the job table.

alter table users add constraint users_locale check (locale in ('id', 'en'));
--> statement-breakpoint
alter table members add constraint members_role check (role in ('owner'));
--> statement-breakpoint
alter table account_tokens add constraint account_tokens_kind check (kind in ('verify_email', 'reset_password', 'admin_invite', 'socket_ticket'));
--> statement-breakpoint
alter table offerings add constraint offerings_status check (status in ('published', 'hidden'));
--> statement-breakpoint
alter table plans add constraint plans_words check (status in ('published', 'hidden') and interval in ('P30D', 'P1M'));
--> statement-breakpoint
alter table nodes add constraint nodes_role check (role in ('control-plane', 'worker'));
--> statement-breakpoint
alter table subscriptions add constraint subscriptions_words check (
  status in ('pending', 'active', 'past_due', 'expired', 'cancelled') and interval in ('P30D', 'P1M')
  and cancel_reason in ('customer', 'order_expired', 'provisioning_failed', 'grace_over', 'operator')
);
--> statement-breakpoint
alter table invoices add constraint invoices_words check (
  status in ('draft', 'open', 'paid', 'void', 'uncollectible') and reason in ('order', 'renewal', 'reactivation')
);
--> statement-breakpoint
alter table payments add constraint payments_words check (provider in ('manual') and status in ('succeeded'));
--> statement-breakpoint
alter table instances add constraint instances_words check (
  desired_phase in ('running', 'stopped', 'absent') and requested_phase in ('running', 'stopped')
  and existence in ('absent', 'unknown', 'present')
  and observed_phase in ('unknown', 'provisioning', 'running', 'degraded', 'stopped', 'failed', 'deleting', 'absent')
);
--> statement-breakpoint
alter table instance_holds add constraint instance_holds_kind check (kind in ('operator', 'abuse', 'books'));
--> statement-breakpoint
alter table operations add constraint operations_words check (
  kind in ('provision', 'start', 'stop', 'restart', 'deprovision')
  and status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')
);
--> statement-breakpoint
alter table notifications add constraint notifications_status check (status in ('queued', 'sent', 'failed'));
--> statement-breakpoint
alter table worker_pools add constraint worker_pools_state check (state in ('running', 'ended'));
--> statement-breakpoint

create extension if not exists btree_gist;
--> statement-breakpoint
alter table billing_periods add constraint billing_periods_no_overlap
  exclude using gist (subscription_id with =, tstzrange(starts_at, ends_at) with &&);
--> statement-breakpoint

-- An invoice is never edited after it was opened: only what happened to it may still be written.
create function invoices_frozen() returns trigger language plpgsql as $$
begin
  if old.status = 'draft' then
    return new;
  end if;
  if (new.id, new.organization_id, new.subscription_id, new.series, new.number, new.reason, new.term_number, new.period_index,
      new.currency, new.total_minor, new.customer, new.opened_at, new.due_at)
     is distinct from
     (old.id, old.organization_id, old.subscription_id, old.series, old.number, old.reason, old.term_number, old.period_index,
      old.currency, old.total_minor, old.customer, old.opened_at, old.due_at) then
    raise exception 'invoice % is frozen', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.period_start is not null and (new.period_start, new.period_end) is distinct from (old.period_start, old.period_end) then
    raise exception 'the period of invoice % is frozen', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.status <> 'open' and new.status <> old.status then
    raise exception 'invoice % is closed', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if new.paid_minor < old.paid_minor then
    raise exception 'the paid amount of invoice % cannot fall', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger invoices_frozen before update on invoices for each row execute function invoices_frozen();
--> statement-breakpoint

-- A blueprint version and a price are what customers agreed to.
create function immutable_row() returns trigger language plpgsql as $$
begin
  raise exception '% rows are immutable', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;
--> statement-breakpoint
create trigger blueprint_versions_immutable before update or delete on blueprint_versions for each row execute function immutable_row();
--> statement-breakpoint
create trigger prices_immutable before update of id, plan_id, currency, amount_minor on prices for each row execute function immutable_row();
--> statement-breakpoint

-- Terminal states stay terminal, whoever writes.
create function subscriptions_terminal() returns trigger language plpgsql as $$
begin
  if old.status = 'cancelled' and new.status <> 'cancelled' then
    raise exception 'subscription % is cancelled for good', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger subscriptions_terminal before update of status on subscriptions for each row execute function subscriptions_terminal();
--> statement-breakpoint

-- The application owns nothing and deletes almost nothing.
grant usage on schema public to sewa_app, sewa_worker;
--> statement-breakpoint
grant select, insert, update on all tables in schema public to sewa_app, sewa_worker;
--> statement-breakpoint
revoke update on events, audit_entries, operator_audit_entries, invoice_lines, payments, refunds, orders, blueprint_versions from sewa_app, sewa_worker;
--> statement-breakpoint
-- Secrets go with the app: with an order that is never paid by the server, after a confirmed removal by the worker.
grant delete on sessions, account_tokens, attempt_counters, idempotency_records, capacity_holds, instance_secrets to sewa_app, sewa_worker;
--> statement-breakpoint
grant delete on worker_pools to sewa_worker;
--> statement-breakpoint
revoke insert, update on sewa_migrations from sewa_app, sewa_worker;
--> statement-breakpoint

-- The one door to the job table. The key is built by the caller from task and id; `replace` makes a second prompt the same prompt.
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
create function enqueue_job(task text, payload json, job_key text, run_at timestamptz default null, max_attempts int default 25)
returns boolean language sql security definer set search_path = pg_catalog as $$
  select (graphile_worker.add_job(
    identifier => task, payload => payload, job_key => job_key, run_at => run_at,
    max_attempts => max_attempts, job_key_mode => 'replace'
  )).id is not null
$$;
--> statement-breakpoint
revoke all on function enqueue_job(text, json, text, timestamptz, int) from public;
--> statement-breakpoint
grant execute on function enqueue_job(text, json, text, timestamptz, int) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
