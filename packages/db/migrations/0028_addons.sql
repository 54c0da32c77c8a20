CREATE TABLE "addon_prices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"addon_id" uuid NOT NULL,
	"currency" char(3) NOT NULL,
	"amount_minor" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"superseded_at" timestamp (3) with time zone,
	CONSTRAINT "addon_prices_amount" CHECK ("addon_prices"."amount_minor" >= 0)
);
--> statement-breakpoint
CREATE TABLE "addons" (
	"id" uuid PRIMARY KEY NOT NULL,
	"plan_id" uuid NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"status" text NOT NULL,
	"adds_storage_bytes" bigint NOT NULL,
	"max_count" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "addons_slug_key" UNIQUE("plan_id","slug"),
	CONSTRAINT "addons_amounts" CHECK ("addons"."adds_storage_bytes" > 0 and "addons"."max_count" > 0)
);
--> statement-breakpoint
ALTER TABLE "instances" ADD COLUMN "addons" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "addons" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "addon_prices" ADD CONSTRAINT "addon_prices_addon_id_addons_id_fk" FOREIGN KEY ("addon_id") REFERENCES "public"."addons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "addons" ADD CONSTRAINT "addons_plan_id_plans_id_fk" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "addon_prices_addon" ON "addon_prices" USING btree ("addon_id");--> statement-breakpoint
CREATE UNIQUE INDEX "addon_prices_current_key" ON "addon_prices" USING btree ("addon_id","currency") WHERE "addon_prices"."superseded_at" is null;