CREATE TABLE "house" (
	"is_only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" uuid NOT NULL,
	CONSTRAINT "house_is_only" CHECK ("house"."is_only")
);
