CREATE TABLE "books_checkpoints" (
	"organization_id" uuid PRIMARY KEY NOT NULL,
	"sequence" bigint NOT NULL,
	"ledger_sequence" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "books_findings" (
	"id" uuid PRIMARY KEY NOT NULL,
	"check_id" text NOT NULL,
	"kind" text NOT NULL,
	"row_id" text NOT NULL,
	"organization_id" uuid,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL,
	"resolved_at" timestamp (3) with time zone,
	CONSTRAINT "books_findings_check" CHECK ("books_findings"."check_id" ~ '^M[0-9]{2}$'),
	CONSTRAINT "books_findings_seen" CHECK ("books_findings"."last_seen_at" >= "books_findings"."first_seen_at")
);
--> statement-breakpoint
CREATE TABLE "books_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"mode" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone NOT NULL,
	"organizations" integer NOT NULL,
	"findings" integer NOT NULL,
	"opened" integer NOT NULL,
	"resolved" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "parked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "parked_reason" text;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "unparked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "books_checkpoints" ADD CONSTRAINT "books_checkpoints_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "books_findings_open_key" ON "books_findings" USING btree ("check_id","row_id",coalesce("organization_id", '00000000-0000-0000-0000-000000000000')) WHERE "books_findings"."resolved_at" is null;--> statement-breakpoint
CREATE INDEX "books_findings_open" ON "books_findings" USING btree ("organization_id") WHERE "books_findings"."resolved_at" is null;--> statement-breakpoint
CREATE INDEX "books_findings_resolved" ON "books_findings" USING btree ("resolved_at") WHERE "books_findings"."resolved_at" is not null;--> statement-breakpoint
CREATE INDEX "books_runs_finished" ON "books_runs" USING btree ("mode","finished_at");--> statement-breakpoint
CREATE INDEX "organizations_parked" ON "organizations" USING btree ("id") WHERE "organizations"."parked_at" is not null;--> statement-breakpoint
CREATE INDEX "ledger_entries_account" ON "ledger_entries" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "subscriptions_running" ON "subscriptions" USING btree ("current_period_end") WHERE "subscriptions"."status" = 'active';--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_parked_why" CHECK (("organizations"."parked_at" is null) = ("organizations"."parked_reason" is null));