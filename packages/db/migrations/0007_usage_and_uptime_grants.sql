-- The worker measures, probes and forgets what is old; the server reads.
grant select on usage_samples, usage_hours, instance_probes, uptime_days to sewa_app;
--> statement-breakpoint
grant select, insert, update on usage_samples, usage_hours, instance_probes, uptime_days to sewa_worker;
--> statement-breakpoint
grant delete on usage_samples, usage_hours, uptime_days to sewa_worker;
