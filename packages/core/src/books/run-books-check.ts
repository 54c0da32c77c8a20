import { booksFindings, organizations } from "@sewa/db/schema";
import { and, asc, eq, isNull } from "drizzle-orm";
import { lockOrganization, parkOrganization } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { type BooksLook, lookAtBooks } from "./look-at-books.ts";
import { listWrongChecks } from "./queries.ts";

export interface BooksOutcome extends BooksLook {
  /** Organizations that were parked because of what was found, and the checks that found it. */
  readonly parked: readonly { readonly organizationId: string; readonly reason: string }[];
}

/**
 * `recent`: what has happened since it was last asked about, and what time alone can make wrong. `whole`: everything. Parks
 * each organization whose books are found wrong; what is late or out of step parks nobody. Null while another one asks.
 */
export async function runBooksCheck(
  ctx: CoreContext,
  { mode }: { readonly mode: "recent" | "whole" },
): Promise<BooksOutcome | null> {
  authorize(ctx.actor, "admin.books.check");
  const look = await lookAtBooks(ctx, { mode });
  return look === null ? null : { ...look, parked: await parkConcerned(ctx) };
}

/** From the findings that stand, not from what was just found: a run that was cut off here is made good by the next one. */
async function parkConcerned(ctx: CoreContext): Promise<BooksOutcome["parked"]> {
  const concerned = await ctx.db.drizzle
    .selectDistinct({ id: organizations.id })
    .from(booksFindings)
    .innerJoin(organizations, eq(organizations.id, booksFindings.organizationId))
    .where(and(isNull(booksFindings.resolvedAt), eq(booksFindings.kind, "books"), isNull(organizations.parkedAt)))
    .orderBy(asc(organizations.id));
  const parked: { organizationId: string; reason: string }[] = [];
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
