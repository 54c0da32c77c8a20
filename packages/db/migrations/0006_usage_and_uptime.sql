CREATE TABLE "instance_probes" (
	"instance_id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"probed_at" timestamp (3) with time zone NOT NULL,
	"is_answering" boolean NOT NULL,
	"generation" bigint NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"down_since" timestamp (3) with time zone,
	CONSTRAINT "instance_probes_failing" CHECK ("instance_probes"."is_answering" = ("instance_probes"."failing_since" is null))
);
--> statement-breakpoint
CREATE TABLE "uptime_days" (
	"organization_id" uuid NOT NULL,
	"instance_id" uuid NOT NULL,
	"day" date NOT NULL,
	"up_seconds" integer NOT NULL,
	"down_seconds" integer NOT NULL,
	CONSTRAINT "uptime_days_instance_id_day_pk" PRIMARY KEY("instance_id","day"),
	CONSTRAINT "uptime_days_seconds" CHECK ("uptime_days"."up_seconds" >= 0 and "uptime_days"."down_seconds" >= 0)
);
--> statement-breakpoint
CREATE TABLE "usage_hours" (
	"organization_id" uuid NOT NULL,
	"instance_id" uuid NOT NULL,
	"hour_at" timestamp (3) with time zone NOT NULL,
	"covered_seconds" integer NOT NULL,
	"cpu_milli_seconds" bigint NOT NULL,
	"cpu_max_millis" bigint,
	"memory_byte_seconds" bigint NOT NULL,
	"memory_max_bytes" bigint,
	"storage_covered_seconds" integer NOT NULL,
	"storage_byte_seconds" bigint NOT NULL,
	"storage_max_bytes" bigint NOT NULL,
	CONSTRAINT "usage_hours_instance_id_hour_at_pk" PRIMARY KEY("instance_id","hour_at"),
	CONSTRAINT "usage_hours_covered" CHECK ("usage_hours"."covered_seconds" between 0 and 3600 and "usage_hours"."storage_covered_seconds" between "usage_hours"."covered_seconds" and 3600),
	CONSTRAINT "usage_hours_measured" CHECK (("usage_hours"."covered_seconds" = 0) = ("usage_hours"."cpu_max_millis" is null))
);
--> statement-breakpoint
CREATE TABLE "usage_samples" (
	"organization_id" uuid NOT NULL,
	"instance_id" uuid NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone NOT NULL,
	"cpu_millis" bigint,
	"memory_bytes" bigint,
	"storage_bytes" bigint NOT NULL,
	CONSTRAINT "usage_samples_instance_id_ended_at_pk" PRIMARY KEY("instance_id","ended_at"),
	CONSTRAINT "usage_samples_minute" CHECK (extract(epoch from "usage_samples"."ended_at" - "usage_samples"."started_at") = 60 and extract(second from "usage_samples"."ended_at" at time zone 'UTC') = 0),
	CONSTRAINT "usage_samples_amounts" CHECK ("usage_samples"."cpu_millis" >= 0 and "usage_samples"."memory_bytes" >= 0 and "usage_samples"."storage_bytes" >= 0),
	CONSTRAINT "usage_samples_measured" CHECK (("usage_samples"."cpu_millis" is null) = ("usage_samples"."memory_bytes" is null))
);
--> statement-breakpoint
ALTER TABLE "instance_probes" ADD CONSTRAINT "instance_probes_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uptime_days" ADD CONSTRAINT "uptime_days_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_hours" ADD CONSTRAINT "usage_hours_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_samples" ADD CONSTRAINT "usage_samples_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "instance_probes_noticed" ON "instance_probes" USING btree ("instance_id") WHERE "instance_probes"."failing_since" is not null or "instance_probes"."down_since" is not null;--> statement-breakpoint
CREATE INDEX "uptime_days_day" ON "uptime_days" USING btree ("day");--> statement-breakpoint
CREATE INDEX "usage_hours_hour" ON "usage_hours" USING btree ("hour_at");--> statement-breakpoint
CREATE INDEX "usage_samples_ended" ON "usage_samples" USING btree ("ended_at");