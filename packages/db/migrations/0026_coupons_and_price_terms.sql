CREATE TABLE "coupon_plans" (
	"coupon_id" uuid NOT NULL,
	"plan_id" uuid NOT NULL,
	CONSTRAINT "coupon_plans_coupon_id_plan_id_pk" PRIMARY KEY("coupon_id","plan_id")
);
--> statement-breakpoint
CREATE TABLE "coupon_redemptions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"coupon_id" uuid NOT NULL,
	"subscription_id" uuid NOT NULL,
	"periods_left" integer,
	"redeemed_by" text NOT NULL,
	"redeemed_at" timestamp (3) with time zone NOT NULL,
	"returned_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "coupon_redemptions_organization_key" UNIQUE("organization_id","id"),
	CONSTRAINT "coupon_redemptions_periods" CHECK ("coupon_redemptions"."periods_left" >= 0)
);
--> statement-breakpoint
CREATE TABLE "coupon_uses" (
	"invoice_id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"redemption_id" uuid NOT NULL,
	"used_at" timestamp (3) with time zone NOT NULL,
	"returned_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "coupons" (
	"id" uuid PRIMARY KEY NOT NULL,
	"code" text NOT NULL,
	"kind" text NOT NULL,
	"basis_points" integer,
	"currency" char(3),
	"amount_minor" bigint,
	"periods" integer,
	"max_redemptions" integer,
	"redeemed" integer DEFAULT 0 NOT NULL,
	"organization_id" uuid,
	"starts_at" timestamp (3) with time zone,
	"ends_at" timestamp (3) with time zone,
	"deactivated_at" timestamp (3) with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "coupons_code" CHECK ("coupons"."code" ~ '^[A-Z0-9_-]{3,40}$'),
	CONSTRAINT "coupons_discount" CHECK (case "coupons"."kind" when 'percent' then coalesce("coupons"."basis_points", 0) between 1 and 10000 and "coupons"."currency" is null and "coupons"."amount_minor" is null
        else "coupons"."basis_points" is null and "coupons"."currency" is not null and coalesce("coupons"."amount_minor", 0) > 0 end),
	CONSTRAINT "coupons_limits" CHECK ("coupons"."periods" > 0 and "coupons"."max_redemptions" > 0 and "coupons"."ends_at" > "coupons"."starts_at"),
	CONSTRAINT "coupons_redeemed" CHECK ("coupons"."redeemed" >= 0 and "coupons"."redeemed" <= "coupons"."max_redemptions")
);
--> statement-breakpoint
CREATE TABLE "trials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"offering_id" uuid NOT NULL,
	"subscription_id" uuid NOT NULL,
	"email_hash" text NOT NULL,
	"taken_at" timestamp (3) with time zone NOT NULL,
	"returned_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "invoice_lines" DROP CONSTRAINT "invoice_lines_amount";--> statement-breakpoint
ALTER TABLE "prices" DROP CONSTRAINT "prices_amount";--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "setup_minor" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "trial_periods" integer;--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "trial_amount_minor" bigint;--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "cost_minor" bigint;--> statement-breakpoint
ALTER TABLE "prices" ADD COLUMN "markup_basis_points" integer;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "trial_price_id" uuid;--> statement-breakpoint
ALTER TABLE "coupon_plans" ADD CONSTRAINT "coupon_plans_coupon_id_coupons_id_fk" FOREIGN KEY ("coupon_id") REFERENCES "public"."coupons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coupon_plans" ADD CONSTRAINT "coupon_plans_plan_id_plans_id_fk" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coupon_redemptions" ADD CONSTRAINT "coupon_redemptions_coupon_id_coupons_id_fk" FOREIGN KEY ("coupon_id") REFERENCES "public"."coupons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coupon_redemptions" ADD CONSTRAINT "coupon_redemptions_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coupon_uses" ADD CONSTRAINT "coupon_uses_invoice_fk" FOREIGN KEY ("organization_id","invoice_id") REFERENCES "public"."invoices"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coupon_uses" ADD CONSTRAINT "coupon_uses_redemption_fk" FOREIGN KEY ("organization_id","redemption_id") REFERENCES "public"."coupon_redemptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coupons" ADD CONSTRAINT "coupons_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trials" ADD CONSTRAINT "trials_offering_id_offerings_id_fk" FOREIGN KEY ("offering_id") REFERENCES "public"."offerings"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trials" ADD CONSTRAINT "trials_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "coupon_redemptions_once_key" ON "coupon_redemptions" USING btree ("coupon_id","organization_id") WHERE "coupon_redemptions"."returned_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "coupon_redemptions_subscription_key" ON "coupon_redemptions" USING btree ("subscription_id") WHERE "coupon_redemptions"."returned_at" is null and ("coupon_redemptions"."periods_left" is null or "coupon_redemptions"."periods_left" > 0);--> statement-breakpoint
CREATE INDEX "coupon_redemptions_list" ON "coupon_redemptions" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "coupon_uses_redemption" ON "coupon_uses" USING btree ("organization_id","redemption_id");--> statement-breakpoint
CREATE UNIQUE INDEX "coupons_code_key" ON "coupons" USING btree ("code");--> statement-breakpoint
CREATE UNIQUE INDEX "trials_organization_key" ON "trials" USING btree ("organization_id","offering_id") WHERE "trials"."returned_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "trials_email_key" ON "trials" USING btree ("email_hash","offering_id") WHERE "trials"."returned_at" is null;--> statement-breakpoint
CREATE INDEX "trials_subscription" ON "trials" USING btree ("organization_id","subscription_id");--> statement-breakpoint
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_trial_price_id_prices_id_fk" FOREIGN KEY ("trial_price_id") REFERENCES "public"."prices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD CONSTRAINT "invoice_lines_amount" CHECK ("invoice_lines"."amount_minor" = case "invoice_lines"."kind" when 'discount' then -1 else 1 end * div(2 * greatest("invoice_lines"."quantity" - "invoice_lines"."included_quantity", 0)::numeric * "invoice_lines"."unit_amount_minor" + "invoice_lines"."per_quantity", 2 * "invoice_lines"."per_quantity"));--> statement-breakpoint
ALTER TABLE "prices" ADD CONSTRAINT "prices_trial" CHECK (("prices"."trial_periods" is null) = ("prices"."trial_amount_minor" is null) and "prices"."trial_periods" > 0 and "prices"."trial_amount_minor" between 0 and "prices"."amount_minor");--> statement-breakpoint
ALTER TABLE "prices" ADD CONSTRAINT "prices_markup" CHECK (("prices"."cost_minor" is null) = ("prices"."markup_basis_points" is null) and "prices"."cost_minor" >= 0 and "prices"."markup_basis_points" >= 0
        and "prices"."amount_minor" = div(2 * "prices"."cost_minor"::numeric * (10000 + "prices"."markup_basis_points") + 10000, 20000));--> statement-breakpoint
ALTER TABLE "prices" ADD CONSTRAINT "prices_amount" CHECK ("prices"."amount_minor" >= 0 and "prices"."setup_minor" >= 0);