import { auditEntries } from "@sewa/db/schema";
import { and, desc, eq, lt } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { organizationOf } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";

export type AuditRow = typeof auditEntries.$inferSelect;

/** Newest first. */
export async function listAuditEntries(ctx: CoreContext, input: PageInput): Promise<Page<AuditRow>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(auditEntries)
      .where(
        and(
          eq(auditEntries.organizationId, organizationOf(tx)),
          cursor === null ? undefined : lt(auditEntries.id, cursor),
        ),
      )
      .orderBy(desc(auditEntries.id))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.id]);
  });
}
