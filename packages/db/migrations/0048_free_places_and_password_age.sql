CREATE TABLE "free_places" (
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
ALTER TABLE "users" ADD COLUMN "password_set_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "plans" ADD COLUMN "one_per_person" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "free_places" ADD CONSTRAINT "free_places_offering_id_offerings_id_fk" FOREIGN KEY ("offering_id") REFERENCES "public"."offerings"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "free_places" ADD CONSTRAINT "free_places_subscription_fk" FOREIGN KEY ("organization_id","subscription_id") REFERENCES "public"."subscriptions"("organization_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "free_places_organization_key" ON "free_places" USING btree ("organization_id","offering_id") WHERE "free_places"."returned_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "free_places_email_key" ON "free_places" USING btree ("email_hash","offering_id") WHERE "free_places"."returned_at" is null;--> statement-breakpoint
CREATE INDEX "free_places_subscription" ON "free_places" USING btree ("organization_id","subscription_id");