insert into house (id) values (gen_random_uuid());
--> statement-breakpoint
-- Read by who works on the cluster; written by nobody, ever.
grant select on house to sewa_app, sewa_worker;
