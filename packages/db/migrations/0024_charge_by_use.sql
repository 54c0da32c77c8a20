CREATE TABLE "usage_prices" (
	"price_id" uuid NOT NULL,
	"meter" text NOT NULL,
	"label" text NOT NULL,
	"unit" text NOT NULL,
	"unit_amount_minor" bigint NOT NULL,
	"per_quantity" numeric(38, 0) NOT NULL,
	"included_quantity" numeric(38, 0) NOT NULL,
	CONSTRAINT "usage_prices_price_id_meter_pk" PRIMARY KEY("price_id","meter"),
	CONSTRAINT "usage_prices_amounts" CHECK ("usage_prices"."unit_amount_minor" >= 0 and "usage_prices"."per_quantity" > 0 and "usage_prices"."included_quantity" >= 0)
);
--> statement-breakpoint
CREATE TABLE "simulated_hours" (
	"organization_id" uuid NOT NULL,
	"instance_id" uuid NOT NULL,
	"hour_at" timestamp (3) with time zone NOT NULL,
	"covered_seconds" integer NOT NULL,
	"cpu_milli_seconds" bigint NOT NULL,
	"memory_byte_seconds" bigint NOT NULL,
	"storage_byte_seconds" bigint NOT NULL,
	"is_rated" boolean DEFAULT false NOT NULL,
	CONSTRAINT "simulated_hours_instance_id_hour_at_pk" PRIMARY KEY("instance_id","hour_at"),
	CONSTRAINT "simulated_hours_amounts" CHECK ("simulated_hours"."covered_seconds" between 0 and 3600 and "simulated_hours"."cpu_milli_seconds" >= 0 and "simulated_hours"."memory_byte_seconds" >= 0 and "simulated_hours"."storage_byte_seconds" >= 0)
);
--> statement-breakpoint
CREATE TABLE "spending_limits" (
	"organization_id" uuid NOT NULL,
	"subscription_id" uuid PRIMARY KEY NOT NULL,
	"alert_amounts" jsonb NOT NULL,
	"cap_minor" bigint,
	CONSTRAINT "spending_limits_cap" CHECK ("spending_limits"."cap_minor" >= 0)
);
--> statement-breakpoint
CREATE TABLE "usage_records" (
	"organization_id" uuid NOT NULL,
	"instance_id" uuid NOT NULL,
	"subscription_id" uuid NOT NULL,
	"meter" text NOT NULL,
	"hour_at" timestamp (3) with time zone NOT NULL,
	"revision" integer NOT NULL,
	"quantity" numeric(38, 0) NOT NULL,
	"price_id" uuid NOT NULL,
	"term_number" integer NOT NULL,
	"period_index" integer NOT NULL,
	"invoice_line_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "usage_records_instance_id_meter_hour_at_revision_pk" PRIMARY KEY("instance_id","meter","hour_at","revision"),
	CONSTRAINT "usage_records_quantity" CHECK ("usage_records"."quantity" > 0 and "usage_records"."revision" > 0)
);
--> statement-breakpoint
CREATE TABLE "usage_terms" (
	"organization_id" uuid NOT NULL,
	"subscription_id" uuid NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"price_id" uuid NOT NULL,
	"quantities" jsonb NOT NULL,
	CONSTRAINT "usage_terms_subscription_id_starts_at_pk" PRIMARY KEY("subscription_id","starts_at")
);
--> statement-breakpoint
DROP INDEX "invoices_open_renewals";--> statement-breakpoint
DROP INDEX "invoices_period_key";--> statement-breakpoint
ALTER TABLE "invoice_lines" ALTER COLUMN "quantity" SET DATA TYPE numeric(38, 0);--> statement-breakpoint
ALTER TABLE "invoice_lines" ALTER COLUMN "included_quantity" SET DATA TYPE numeric(38, 0);--> statement-breakpoint
ALTER TABLE "invoice_lines" ALTER COLUMN "included_quantity" SET DEFAULT 0;--> statement-breakpoint
ALTER TABLE "invoice_lines" ALTER COLUMN "per_quantity" SET DATA TYPE numeric(38, 0);--> statement-breakpoint
ALTER TABLE "invoice_lines" ALTER COLUMN "per_quantity" SET DEFAULT 1;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD COLUMN "meter" text;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD COLUMN "period_start" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD COLUMN "period_end" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "capped_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "closing_due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "usage_hours" ADD COLUMN "is_rated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD CONSTRAINT "invoice_lines_organization_key" UNIQUE("organization_id","id");--> statement-breakpoint
ALTER TABLE "usage_prices" ADD CONSTRAINT "usage_prices_price_id_prices_id_fk" FOREIGN KEY ("price_id") REFERENCES "public"."prices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "simulated_hours" ADD CONSTRAINT "simulated_hours_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spending_limits" ADD CONSTRAINT "spending_limits_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_records" ADD CONSTRAINT "usage_records_price_id_prices_id_fk" FOREIGN KEY ("price_id") REFERENCES "public"."prices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_records" ADD CONSTRAINT "usage_records_instance_fk" FOREIGN KEY ("organization_id","instance_id") REFERENCES "public"."instances"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_records" ADD CONSTRAINT "usage_records_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_records" ADD CONSTRAINT "usage_records_line_fk" FOREIGN KEY ("organization_id","invoice_line_id") REFERENCES "public"."invoice_lines"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_terms" ADD CONSTRAINT "usage_terms_price_id_prices_id_fk" FOREIGN KEY ("price_id") REFERENCES "public"."prices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage_terms" ADD CONSTRAINT "usage_terms_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "simulated_hours_unrated" ON "simulated_hours" USING btree ("organization_id","hour_at") WHERE not "simulated_hours"."is_rated";--> statement-breakpoint
CREATE INDEX "usage_records_period" ON "usage_records" USING btree ("subscription_id","term_number","period_index");--> statement-breakpoint
CREATE INDEX "usage_records_hour" ON "usage_records" USING btree ("organization_id","subscription_id","hour_at");--> statement-breakpoint
CREATE INDEX "usage_records_unbilled" ON "usage_records" USING btree ("subscription_id") WHERE "usage_records"."invoice_line_id" is null;--> statement-breakpoint
CREATE INDEX "usage_records_line" ON "usage_records" USING btree ("organization_id","invoice_line_id");--> statement-breakpoint
CREATE INDEX "invoices_open_collected" ON "invoices" USING btree ("opened_at") WHERE "invoices"."status" = 'open' and "invoices"."reason" in ('renewal', 'usage');--> statement-breakpoint
CREATE INDEX "usage_hours_unrated" ON "usage_hours" USING btree ("hour_at") WHERE not "usage_hours"."is_rated";--> statement-breakpoint
CREATE UNIQUE INDEX "invoices_period_key" ON "invoices" USING btree ("subscription_id","term_number","period_index") WHERE "invoices"."status" in ('draft', 'open', 'paid', 'uncollectible') and "invoices"."reason" not in ('change', 'usage');--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD CONSTRAINT "invoice_lines_usage" CHECK (("invoice_lines"."kind" = 'usage') = ("invoice_lines"."meter" is not null) and ("invoice_lines"."meter" is null) = ("invoice_lines"."period_start" is null) and ("invoice_lines"."meter" is null) = ("invoice_lines"."period_end" is null) and "invoice_lines"."period_start" < "invoice_lines"."period_end");--> statement-breakpoint
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_closing" CHECK ("subscriptions"."closing_due_at" is null or "subscriptions"."status" = 'cancelled');