import { organizations } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { type CoreContext, organizationOf } from "../context.ts";
import { notFound } from "../errors.ts";

/** NOT_FOUND for one that nobody has: it could not even hold the record of an idempotency key. For operators, who name it. */
export async function requireOrganization(ctx: CoreContext): Promise<void> {
  const [known] = await ctx.transaction((tx) =>
    tx.sql
      .select({ id: organizations.id })
      .from(organizations)
      .where(eq(organizations.id, organizationOf(tx))),
  );
  if (known === undefined) throw notFound("organization");
}
