import { organizations } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { assert, notFound } from "../errors.ts";

/** NOT_FOUND for one that nobody has: it could not even hold the record of an idempotency key. For operators, who name it. */
export async function requireOrganization(ctx: CoreContext): Promise<void> {
  assert(ctx.organizationId !== null, "the context is bound to an organization");
  const [known] = await ctx.db.drizzle
    .select({ id: organizations.id })
    .from(organizations)
    .where(eq(organizations.id, ctx.organizationId));
  if (known === undefined) throw notFound("organization");
}
