ALTER TABLE "instance_changes" ADD COLUMN "approves_itself" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "next_terms" jsonb;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "reshape_due_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "subscriptions_reshape" ON "subscriptions" USING btree ("reshape_due_at") WHERE "subscriptions"."reshape_due_at" is not null;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_next_terms" CHECK ("subscriptions"."next_terms" is null or "subscriptions"."status" in ('active', 'past_due'));