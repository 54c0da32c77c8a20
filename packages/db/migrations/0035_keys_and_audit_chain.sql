CREATE TABLE "audit_checkpoints" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid,
	"kind" text NOT NULL,
	"sequence" bigint NOT NULL,
	"chain" text NOT NULL,
	"key_id" text NOT NULL,
	"signature" text NOT NULL,
	"signed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "house_head" (
	"is_only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"audit_sequence" bigint DEFAULT 0 NOT NULL,
	"audit_chain" text DEFAULT '' NOT NULL,
	CONSTRAINT "house_head_is_only" CHECK ("house_head"."is_only")
);
--> statement-breakpoint
CREATE TABLE "data_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"key_id" text NOT NULL,
	"sealed" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "key_rotations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"target" text NOT NULL,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"rewrapped" integer DEFAULT 0 NOT NULL,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
DROP INDEX "audit_entries_organization";--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "client_address" text;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "user_agent" text;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "client_salt" text;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "client_digest" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "details_salt" text;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "details_digest" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "digest" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "chain" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "client_address" text;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "user_agent" text;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "client_salt" text;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "client_digest" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "details_salt" text;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "details_digest" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "digest" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_audit_entries" ADD COLUMN "chain" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_heads" ADD COLUMN "audit_sequence" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_heads" ADD COLUMN "audit_chain" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_checkpoints" ADD CONSTRAINT "audit_checkpoints_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data_keys" ADD CONSTRAINT "data_keys_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "audit_checkpoints_key" ON "audit_checkpoints" USING btree (coalesce("organization_id", '00000000-0000-0000-0000-000000000000'),"kind");--> statement-breakpoint
CREATE UNIQUE INDEX "data_keys_organization_key" ON "data_keys" USING btree ("organization_id");--> statement-breakpoint
CREATE INDEX "data_keys_key" ON "data_keys" USING btree ("key_id");--> statement-breakpoint
CREATE UNIQUE INDEX "key_rotations_open" ON "key_rotations" USING btree ((true)) WHERE "key_rotations"."finished_at" is null;--> statement-breakpoint
CREATE INDEX "audit_entries_actor" ON "audit_entries" USING btree ("actor","id");--> statement-breakpoint
CREATE INDEX "audit_entries_action" ON "audit_entries" USING btree ("action","id");
