-- The server cannot read the queue. What an operator may see of it and do to it goes through these, which the worker owns.
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
create function read_jobs(only_id bigint, only_task text, only_status text, after_id bigint, row_limit int)
returns table (
  id bigint, task text, key text, attempts int, max_attempts int, run_at timestamptz, last_error text, locked_by text, payload json
)
language sql stable security definer set search_path = pg_catalog as $$
  select j.id, t.identifier, j.key, j.attempts, j.max_attempts, j.run_at, j.last_error, j.locked_by, j.payload
  from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
  where (only_id is null or j.id = only_id) and (only_task is null or t.identifier = only_task)
    and (only_status is null or only_status = case
      when j.locked_by is not null then 'running' when j.attempts >= j.max_attempts then 'failed' else 'waiting' end)
    and (after_id is null or j.id > after_id)
  order by j.id limit row_limit
$$;
--> statement-breakpoint
create function retry_job(job_id bigint) returns boolean
language sql security definer set search_path = pg_catalog as $$
  select exists (select 1 from graphile_worker.reschedule_jobs(array[job_id], run_at => now(), attempts => 0))
$$;
--> statement-breakpoint
create function cancel_job(job_id bigint) returns boolean
language sql security definer set search_path = pg_catalog as $$
  select exists (select 1 from graphile_worker.complete_jobs(array[job_id]))
$$;
--> statement-breakpoint
revoke all on function read_jobs(bigint, text, text, bigint, int), retry_job(bigint), cancel_job(bigint) from public;
--> statement-breakpoint
grant execute on function read_jobs(bigint, text, text, bigint, int), retry_job(bigint), cancel_job(bigint) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
