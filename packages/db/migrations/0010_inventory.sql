CREATE TABLE "inventory_audits" (
	"id" uuid PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"holder" text,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"is_whole" boolean,
	"unread" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"objects" integer DEFAULT 0 NOT NULL,
	"instances" integer DEFAULT 0 NOT NULL,
	"unjudged" integer DEFAULT 0 NOT NULL,
	"findings" integer DEFAULT 0 NOT NULL,
	"resolved" integer DEFAULT 0 NOT NULL,
	"repaired" integer DEFAULT 0 NOT NULL,
	"deleted" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "inventory_audits_finished" CHECK (("inventory_audits"."status" in ('finished', 'failed')) = ("inventory_audits"."finished_at" is not null)),
	CONSTRAINT "inventory_audits_whole" CHECK (("inventory_audits"."status" = 'finished') = ("inventory_audits"."is_whole" is not null))
);
--> statement-breakpoint
CREATE TABLE "inventory_findings" (
	"id" uuid PRIMARY KEY NOT NULL,
	"identity" text NOT NULL,
	"kind" text NOT NULL,
	"severity" text NOT NULL,
	"subject_kind" text NOT NULL,
	"subject_namespace" text,
	"subject_name" text NOT NULL,
	"subject_uid" text,
	"organization_id" uuid,
	"subscription_id" uuid,
	"instance_id" uuid,
	"details" jsonb NOT NULL,
	"cost_minor" bigint,
	"currency" char(3),
	"requested_cpu_millis" bigint,
	"requested_memory_bytes" bigint,
	"requested_storage_bytes" bigint,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL,
	"sightings" integer NOT NULL,
	"sighted_at" timestamp (3) with time zone NOT NULL,
	"reported_at" timestamp (3) with time zone,
	"resolved_at" timestamp (3) with time zone,
	"action" text NOT NULL,
	"acted_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inventory_findings_cost" CHECK (("inventory_findings"."cost_minor" is null) = ("inventory_findings"."currency" is null)),
	CONSTRAINT "inventory_findings_sightings" CHECK ("inventory_findings"."sightings" >= 0),
	CONSTRAINT "inventory_findings_acted" CHECK (("inventory_findings"."action" = 'none') = ("inventory_findings"."acted_at" is null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "inventory_audits_queued_key" ON "inventory_audits" USING btree ("status") WHERE "inventory_audits"."status" = 'queued';--> statement-breakpoint
CREATE UNIQUE INDEX "inventory_audits_running_key" ON "inventory_audits" USING btree ("status") WHERE "inventory_audits"."status" = 'running';--> statement-breakpoint
CREATE UNIQUE INDEX "inventory_findings_open_key" ON "inventory_findings" USING btree ("identity") WHERE "inventory_findings"."resolved_at" is null;--> statement-breakpoint
CREATE INDEX "inventory_findings_resolved" ON "inventory_findings" USING btree ("resolved_at") WHERE "inventory_findings"."resolved_at" is not null;