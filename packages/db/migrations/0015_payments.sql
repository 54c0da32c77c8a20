CREATE TABLE "credit_notes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"invoice_id" uuid NOT NULL,
	"series" text NOT NULL,
	"number" bigint NOT NULL,
	"currency" char(3) NOT NULL,
	"amount_minor" bigint NOT NULL,
	"reason" text NOT NULL,
	"customer" jsonb NOT NULL,
	"issued_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credit_notes_organization_key" UNIQUE("organization_id","id"),
	CONSTRAINT "credit_notes_number_key" UNIQUE("series","number"),
	CONSTRAINT "credit_notes_amount" CHECK ("credit_notes"."amount_minor" > 0)
);
--> statement-breakpoint
CREATE TABLE "auto_top_ups" (
	"organization_id" uuid NOT NULL,
	"currency" char(3) NOT NULL,
	"threshold_minor" bigint NOT NULL,
	"amount_minor" bigint NOT NULL,
	"method_id" uuid NOT NULL,
	"is_enabled" boolean NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "auto_top_ups_pkey" PRIMARY KEY("organization_id","currency"),
	CONSTRAINT "auto_top_ups_amounts" CHECK ("auto_top_ups"."threshold_minor" >= 0 and "auto_top_ups"."amount_minor" > 0)
);
--> statement-breakpoint
CREATE TABLE "invoice_collections" (
	"invoice_id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"next_attempt_at" timestamp (3) with time zone,
	"last_failure" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "payment_intents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"invoice_id" uuid,
	"provider" text NOT NULL,
	"method_id" uuid,
	"origin" text NOT NULL,
	"saves_method" boolean DEFAULT false NOT NULL,
	"status" text NOT NULL,
	"currency" char(3) NOT NULL,
	"amount_minor" bigint NOT NULL,
	"received_minor" bigint,
	"provider_reference" text,
	"checkout_url" text,
	"failure" text,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"asked_at" timestamp (3) with time zone,
	"cancel_requested_at" timestamp (3) with time zone,
	"looks" integer DEFAULT 0 NOT NULL,
	"next_look_at" timestamp (3) with time zone,
	"started_by" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payment_intents_organization_key" UNIQUE("organization_id","id"),
	CONSTRAINT "payment_intents_purpose" CHECK (("payment_intents"."purpose" = 'invoice') = ("payment_intents"."invoice_id" is not null)),
	CONSTRAINT "payment_intents_amounts" CHECK ("payment_intents"."amount_minor" > 0 and "payment_intents"."received_minor" > 0),
	CONSTRAINT "payment_intents_received" CHECK (("payment_intents"."status" = 'succeeded') = ("payment_intents"."received_minor" is not null)),
	CONSTRAINT "payment_intents_ended" CHECK (("payment_intents"."status" in ('created', 'pending')) = ("payment_intents"."ended_at" is null)),
	CONSTRAINT "payment_intents_looks" CHECK ("payment_intents"."ended_at" is null or "payment_intents"."asked_at" is not null or "payment_intents"."next_look_at" is null),
	CONSTRAINT "payment_intents_live" CHECK ("payment_intents"."ended_at" is not null or "payment_intents"."next_look_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "payment_methods" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"label" text NOT NULL,
	"fingerprint" text NOT NULL,
	"key_id" text,
	"sealed" text,
	"is_automatic" boolean DEFAULT false NOT NULL,
	"saved_at" timestamp (3) with time zone NOT NULL,
	"removed_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payment_methods_organization_key" UNIQUE("organization_id","id"),
	CONSTRAINT "payment_methods_sealed" CHECK (("payment_methods"."sealed" is null) = ("payment_methods"."removed_at" is not null)),
	CONSTRAINT "payment_methods_automatic" CHECK (not "payment_methods"."is_automatic" or "payment_methods"."removed_at" is null)
);
--> statement-breakpoint
CREATE TABLE "payment_notices" (
	"provider" text NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"subject_type" text,
	"subject_id" uuid,
	"body" "bytea" NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"applied_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payment_notices_pkey" PRIMARY KEY("provider","event_id"),
	CONSTRAINT "payment_notices_body" CHECK (octet_length("payment_notices"."body") <= 65536)
);
--> statement-breakpoint
CREATE TABLE "wallet_adjustments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"currency" char(3) NOT NULL,
	"amount_minor" bigint NOT NULL,
	"reason" text NOT NULL,
	"adjusted_by" text NOT NULL,
	"adjusted_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "wallet_adjustments_organization_key" UNIQUE("organization_id","id"),
	CONSTRAINT "wallet_adjustments_amount" CHECK ("wallet_adjustments"."amount_minor" <> 0)
);
--> statement-breakpoint
ALTER TABLE "refunds" DROP CONSTRAINT "refunds_payment_key";--> statement-breakpoint
ALTER TABLE "invoices" ADD COLUMN "credited_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "invoices" ADD COLUMN "live_intent_id" uuid;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "refunded_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "credit_note_id" uuid;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "destination" text DEFAULT 'manual' NOT NULL;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "status" text DEFAULT 'succeeded' NOT NULL;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "provider_reference" text;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "failure" text;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "asked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "looks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "next_look_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "credit_notes" ADD CONSTRAINT "credit_notes_invoice_fk" FOREIGN KEY ("organization_id","invoice_id") REFERENCES "public"."invoices"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auto_top_ups" ADD CONSTRAINT "auto_top_ups_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auto_top_ups" ADD CONSTRAINT "auto_top_ups_method_fk" FOREIGN KEY ("organization_id","method_id") REFERENCES "public"."payment_methods"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoice_collections" ADD CONSTRAINT "invoice_collections_invoice_fk" FOREIGN KEY ("organization_id","invoice_id") REFERENCES "public"."invoices"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payment_intents" ADD CONSTRAINT "payment_intents_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payment_intents" ADD CONSTRAINT "payment_intents_invoice_fk" FOREIGN KEY ("organization_id","invoice_id") REFERENCES "public"."invoices"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payment_intents" ADD CONSTRAINT "payment_intents_method_fk" FOREIGN KEY ("organization_id","method_id") REFERENCES "public"."payment_methods"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payment_methods" ADD CONSTRAINT "payment_methods_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "wallet_adjustments" ADD CONSTRAINT "wallet_adjustments_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "credit_notes_invoice" ON "credit_notes" USING btree ("organization_id","invoice_id");--> statement-breakpoint
CREATE INDEX "invoice_collections_due" ON "invoice_collections" USING btree ("next_attempt_at") WHERE "invoice_collections"."next_attempt_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "payment_intents_live_key" ON "payment_intents" USING btree ("invoice_id") WHERE "payment_intents"."status" in ('created', 'pending');--> statement-breakpoint
CREATE UNIQUE INDEX "payment_intents_top_up_key" ON "payment_intents" USING btree ("organization_id","currency") WHERE "payment_intents"."status" in ('created', 'pending') and "payment_intents"."purpose" = 'top_up' and "payment_intents"."origin" = 'automatic';--> statement-breakpoint
CREATE INDEX "payment_intents_due" ON "payment_intents" USING btree ("next_look_at") WHERE "payment_intents"."next_look_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "payment_methods_fingerprint_key" ON "payment_methods" USING btree ("organization_id","fingerprint") WHERE "payment_methods"."removed_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "payment_methods_automatic_key" ON "payment_methods" USING btree ("organization_id") WHERE "payment_methods"."is_automatic";--> statement-breakpoint
CREATE INDEX "payment_notices_unapplied" ON "payment_notices" USING btree ("received_at") WHERE "payment_notices"."applied_at" is null;--> statement-breakpoint
CREATE INDEX "payment_notices_subject" ON "payment_notices" USING btree ("subject_id");--> statement-breakpoint
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_credit_note_fk" FOREIGN KEY ("organization_id","credit_note_id") REFERENCES "public"."credit_notes"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "invoices_open_renewals" ON "invoices" USING btree ("opened_at") WHERE "invoices"."status" = 'open' and "invoices"."reason" = 'renewal';--> statement-breakpoint
CREATE INDEX "refunds_payment" ON "refunds" USING btree ("organization_id","payment_id");--> statement-breakpoint
CREATE INDEX "refunds_due" ON "refunds" USING btree ("next_look_at") WHERE "refunds"."next_look_at" is not null;--> statement-breakpoint
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_organization_key" UNIQUE("organization_id","id");--> statement-breakpoint
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_credited" CHECK ("invoices"."credited_minor" between 0 and "invoices"."paid_minor");--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_refunded" CHECK ("payments"."refunded_minor" between 0 and "payments"."amount_minor");--> statement-breakpoint
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_pending" CHECK (("refunds"."status" = 'pending') = ("refunds"."next_look_at" is not null));