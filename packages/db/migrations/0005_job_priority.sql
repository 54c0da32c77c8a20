-- In a long queue, what a person waits for goes first. Code that does not know the last parameter goes on as before.
grant create on schema public to sewa_worker;
--> statement-breakpoint
set local role sewa_worker;
--> statement-breakpoint
drop function enqueue_job(text, json, text, timestamptz, int);
--> statement-breakpoint
create function enqueue_job(
  task text, payload json, job_key text, run_at timestamptz default null, max_attempts int default 25, priority int default 0
)
returns boolean language sql security definer set search_path = pg_catalog as $$
  select (graphile_worker.add_job(
    identifier => task, payload => payload, job_key => job_key, run_at => run_at,
    max_attempts => max_attempts, job_key_mode => 'replace', priority => priority
  )).id is not null
$$;
--> statement-breakpoint
revoke all on function enqueue_job(text, json, text, timestamptz, int, int) from public;
--> statement-breakpoint
grant execute on function enqueue_job(text, json, text, timestamptz, int, int) to sewa_app;
--> statement-breakpoint
set local role sewa_owner;
--> statement-breakpoint
revoke create on schema public from sewa_worker;
