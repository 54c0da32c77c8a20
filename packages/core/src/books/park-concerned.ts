import { booksFindings, organizations } from "@sewa/db/schema";
import { and, asc, eq, isNull } from "drizzle-orm";
import { lockOrganization, parkOrganization } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { listWrongChecks } from "./queries.ts";

/** An organization that was parked because of what was found, and the checks that found it. */
export interface Parked {
  readonly organizationId: string;
  readonly reason: string;
}

/** From the findings that stand, not from what was just found: a run that was cut off here is made good by the next one. */
export async function parkConcerned(ctx: CoreContext): Promise<readonly Parked[]> {
  const concerned = await ctx.db.drizzle
    .selectDistinct({ id: organizations.id })
    .from(booksFindings)
    .innerJoin(organizations, eq(organizations.id, booksFindings.organizationId))
    .where(and(isNull(booksFindings.resolvedAt), eq(booksFindings.kind, "books"), isNull(organizations.parkedAt)))
    .orderBy(asc(organizations.id));
  const parked: Parked[] = [];
  for (const { id: organizationId } of concerned) {
    const reason = await park(ctx.forOrganization(organizationId));
    if (reason !== null) parked.push({ organizationId, reason });
  }
  return parked;
}

async function park(ctx: CoreContext): Promise<string | null> {
  return ctx.transaction(async (tx) => {
    await lockOrganization(tx);
    const reason = (await listWrongChecks(tx)).join(", ");
    return reason !== "" && (await parkOrganization(tx, reason)) ? reason : null;
  });
}
