ALTER TABLE "invoice_lines" DROP CONSTRAINT "invoice_lines_amount";--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD COLUMN "kind" text;--> statement-breakpoint
UPDATE "invoice_lines" SET "kind" = CASE "invoices"."reason" WHEN 'change' THEN 'change' ELSE 'plan' END FROM "invoices" WHERE "invoices"."id" = "invoice_lines"."invoice_id";--> statement-breakpoint
ALTER TABLE "invoice_lines" ALTER COLUMN "kind" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD COLUMN "included_quantity" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD COLUMN "per_quantity" bigint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "items" jsonb;--> statement-breakpoint
UPDATE "subscriptions" SET "items" = jsonb_build_array(jsonb_build_object('kind', 'plan', 'description', "offerings"."name" || ', ' || "plans"."name", 'quantity', 1, 'unitAmountMinor', "subscriptions"."amount_minor"::text)) FROM "plans" JOIN "offerings" ON "offerings"."id" = "plans"."offering_id" WHERE "plans"."id" = "subscriptions"."plan_id";--> statement-breakpoint
ALTER TABLE "subscriptions" ALTER COLUMN "items" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD CONSTRAINT "invoice_lines_quantity" CHECK ("invoice_lines"."quantity" >= 0 and "invoice_lines"."included_quantity" >= 0 and "invoice_lines"."per_quantity" > 0 and "invoice_lines"."unit_amount_minor" >= 0);--> statement-breakpoint
ALTER TABLE "invoice_lines" ADD CONSTRAINT "invoice_lines_amount" CHECK ("invoice_lines"."amount_minor" = div(2 * greatest("invoice_lines"."quantity" - "invoice_lines"."included_quantity", 0)::numeric * "invoice_lines"."unit_amount_minor" + "invoice_lines"."per_quantity", 2 * "invoice_lines"."per_quantity"));
