CREATE TABLE "credit_note_taxes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"credit_note_id" uuid NOT NULL,
	"invoice_id" uuid NOT NULL,
	"tax_rate_id" uuid NOT NULL,
	"amount_minor" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credit_note_taxes_rate_key" UNIQUE("credit_note_id","tax_rate_id"),
	CONSTRAINT "credit_note_taxes_amount" CHECK ("credit_note_taxes"."amount_minor" > 0)
);
--> statement-breakpoint
CREATE TABLE "invoice_taxes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"invoice_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"tax_rate_id" uuid NOT NULL,
	"name" text NOT NULL,
	"basis_points" integer NOT NULL,
	"is_inclusive" boolean NOT NULL,
	"base_minor" bigint NOT NULL,
	"amount_minor" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invoice_taxes_position_key" UNIQUE("invoice_id","position"),
	CONSTRAINT "invoice_taxes_rate_key" UNIQUE("organization_id","invoice_id","tax_rate_id"),
	CONSTRAINT "invoice_taxes_amounts" CHECK ("invoice_taxes"."base_minor" >= 0 and "invoice_taxes"."amount_minor" >= 0)
);
--> statement-breakpoint
CREATE TABLE "tax_rates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"basis_points" integer NOT NULL,
	"is_inclusive" boolean NOT NULL,
	"country" char(2),
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tax_rates_basis_points" CHECK ("tax_rates"."basis_points" between 1 and 10000),
	CONSTRAINT "tax_rates_country" CHECK ("tax_rates"."country" ~ '^[A-Z]{2}$'),
	CONSTRAINT "tax_rates_half_open" CHECK ("tax_rates"."ends_at" >= "tax_rates"."starts_at")
);
--> statement-breakpoint
ALTER TABLE "credit_notes" DROP CONSTRAINT "credit_notes_amount";--> statement-breakpoint
ALTER TABLE "instance_changes" DROP CONSTRAINT "instance_changes_amounts";--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "tax_id" text;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "country" char(2);--> statement-breakpoint
ALTER TABLE "credit_notes" ADD COLUMN "tax_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "invoices" ADD COLUMN "tax_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "invoices" ADD COLUMN "seller" jsonb;--> statement-breakpoint
ALTER TABLE "instance_changes" ADD COLUMN "added_tax_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "tax_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "credit_note_taxes" ADD CONSTRAINT "credit_note_taxes_credit_note_fk" FOREIGN KEY ("organization_id","credit_note_id") REFERENCES "public"."credit_notes"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_note_taxes" ADD CONSTRAINT "credit_note_taxes_invoice_tax_fk" FOREIGN KEY ("organization_id","invoice_id","tax_rate_id") REFERENCES "public"."invoice_taxes"("organization_id","invoice_id","tax_rate_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoice_taxes" ADD CONSTRAINT "invoice_taxes_tax_rate_id_tax_rates_id_fk" FOREIGN KEY ("tax_rate_id") REFERENCES "public"."tax_rates"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoice_taxes" ADD CONSTRAINT "invoice_taxes_invoice_fk" FOREIGN KEY ("organization_id","invoice_id") REFERENCES "public"."invoices"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "credit_note_taxes_invoice" ON "credit_note_taxes" USING btree ("organization_id","invoice_id");--> statement-breakpoint
CREATE INDEX "billing_periods_end" ON "billing_periods" USING btree ("ends_at");--> statement-breakpoint
CREATE INDEX "invoices_open" ON "invoices" USING btree ("id") WHERE "invoices"."status" = 'open';--> statement-breakpoint
CREATE INDEX "instance_changes_terms" ON "instance_changes" USING btree ("subscription_id","approved_at") WHERE "instance_changes"."status" in ('executing', 'executed');--> statement-breakpoint
CREATE INDEX "ledger_transactions_posted" ON "ledger_transactions" USING btree ("posted_at");--> statement-breakpoint
ALTER TABLE "credit_notes" ADD CONSTRAINT "credit_notes_amount" CHECK ("credit_notes"."amount_minor" > 0 and "credit_notes"."tax_minor" between 0 and "credit_notes"."amount_minor");--> statement-breakpoint
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_tax" CHECK ("invoices"."tax_minor" between 0 and "invoices"."total_minor");--> statement-breakpoint
ALTER TABLE "instance_changes" ADD CONSTRAINT "instance_changes_amounts" CHECK ("instance_changes"."amount_before_minor" >= 0 and "instance_changes"."amount_after_minor" >= 0 and "instance_changes"."due_minor" >= 0 and "instance_changes"."added_tax_minor" >= 0 and ("instance_changes"."due_minor" = 0 or "instance_changes"."amount_after_minor" > "instance_changes"."amount_before_minor"));