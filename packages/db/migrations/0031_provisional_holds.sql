ALTER TABLE "capacity_holds" ADD COLUMN "is_provisional" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "capacity_holds_provisional" ON "capacity_holds" USING btree ("instance_id") WHERE "capacity_holds"."is_provisional";--> statement-breakpoint
UPDATE "capacity_holds" SET "is_provisional" = true;
