CREATE TABLE "ledger_checkpoints" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"sequence" bigint NOT NULL,
	"chain" text NOT NULL,
	"opening" jsonb,
	"opening_at" timestamp (3) with time zone,
	"key_id" text NOT NULL,
	"signature" text NOT NULL,
	"signed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "ledger_checkpoints_key" UNIQUE("organization_id","kind"),
	CONSTRAINT "ledger_checkpoints_opening" CHECK (num_nonnulls("ledger_checkpoints"."opening", "ledger_checkpoints"."opening_at") = case "ledger_checkpoints"."kind" when 'start' then 2 else 0 end)
);
--> statement-breakpoint
ALTER TABLE "ledger_checkpoints" ADD CONSTRAINT "ledger_checkpoints_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;