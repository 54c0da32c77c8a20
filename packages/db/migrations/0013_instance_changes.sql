CREATE TABLE "instance_changes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"instance_id" uuid NOT NULL,
	"subscription_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"request" jsonb NOT NULL,
	"shape_before" jsonb NOT NULL,
	"shape_after" jsonb,
	"keeps_storage" boolean DEFAULT false NOT NULL,
	"currency" char(3) NOT NULL,
	"amount_before_minor" bigint NOT NULL,
	"amount_after_minor" bigint NOT NULL,
	"due_minor" bigint NOT NULL,
	"effects" jsonb,
	"facts_hash" text NOT NULL,
	"world_hash" text,
	"hash" text,
	"reason" text,
	"invoice_id" uuid,
	"operation_id" uuid,
	"requested_by" text NOT NULL,
	"approved_by" text,
	"request_id" text,
	"planned_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"approved_at" timestamp (3) with time zone,
	"deadline_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "instance_changes_organization_key" UNIQUE("organization_id","id"),
	CONSTRAINT "instance_changes_invoice_key" UNIQUE("invoice_id"),
	CONSTRAINT "instance_changes_amounts" CHECK ("instance_changes"."amount_before_minor" >= 0 and "instance_changes"."amount_after_minor" >= 0 and "instance_changes"."due_minor" >= 0 and ("instance_changes"."due_minor" = 0 or "instance_changes"."amount_after_minor" > "instance_changes"."amount_before_minor")),
	CONSTRAINT "instance_changes_planned" CHECK ("instance_changes"."status" not in ('planned', 'awaiting_payment', 'approved', 'executing', 'executed') or ("instance_changes"."hash" is not null and "instance_changes"."world_hash" is not null and "instance_changes"."effects" is not null)),
	CONSTRAINT "instance_changes_ended" CHECK (("instance_changes"."status" in ('executed', 'failed', 'refused', 'expired')) = ("instance_changes"."ended_at" is not null)),
	CONSTRAINT "instance_changes_removal" CHECK (("instance_changes"."kind" = 'deprovision') = ("instance_changes"."shape_after" is null))
);
--> statement-breakpoint
DROP INDEX "invoices_period_key";--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "is_changing" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "instance_changes" ADD CONSTRAINT "instance_changes_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "instance_changes" ADD CONSTRAINT "instance_changes_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "instance_changes" ADD CONSTRAINT "instance_changes_invoice_fk" FOREIGN KEY ("organization_id","invoice_id") REFERENCES "public"."invoices"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "instance_changes" ADD CONSTRAINT "instance_changes_operation_fk" FOREIGN KEY ("organization_id","operation_id") REFERENCES "public"."operations"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "instance_changes_under_way_key" ON "instance_changes" USING btree ("instance_id") WHERE "instance_changes"."status" in ('awaiting_payment', 'approved', 'executing');--> statement-breakpoint
CREATE INDEX "instance_changes_instance" ON "instance_changes" USING btree ("organization_id","instance_id","id");--> statement-breakpoint
CREATE INDEX "instance_changes_open" ON "instance_changes" USING btree ("id") WHERE "instance_changes"."status" in ('planning', 'planned', 'awaiting_payment', 'approved', 'executing');--> statement-breakpoint
CREATE UNIQUE INDEX "invoices_period_key" ON "invoices" USING btree ("subscription_id","term_number","period_index") WHERE "invoices"."status" in ('draft', 'open', 'paid', 'uncollectible') and "invoices"."reason" <> 'change';