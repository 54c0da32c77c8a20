import { booksFindings, booksRuns, organizations } from "@sewa/db/schema";
import { and, asc, count, desc, eq, isNotNull, isNull, lt, max } from "drizzle-orm";
import type { Parking } from "../accounts/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";
import type { BooksKind } from "./check.ts";
import type { BooksRunRow } from "./look-at-books.ts";
import type { BooksFindingRow } from "./record-breaches.ts";

/** There are a hundred a day. */
const runsKeptMs = 30 * dayMs;
/** As long as the audit of operators is asked about what they did. */
const findingsKeptMs = 400 * dayMs;

export interface BooksFindingView extends BooksFindingRow {
  /** Since when its organization is parked, for whatever reason. */
  readonly parkedAt: Date | null;
}

/** Newest first; open ones unless told. */
export async function listBooksFindings(
  ctx: CoreContext,
  input: PageInput & { readonly status?: "open" | "resolved" | undefined },
): Promise<Page<BooksFindingView>> {
  authorize(ctx.actor, "admin.books.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const { id, resolvedAt } = booksFindings;
  const rows = await ctx.transaction((tx) =>
    tx.sql
      .select({ finding: booksFindings, parkedAt: organizations.parkedAt })
      .from(booksFindings)
      .leftJoin(organizations, eq(organizations.id, booksFindings.organizationId))
      .where(
        and(
          input.status === "resolved" ? isNotNull(resolvedAt) : isNull(resolvedAt),
          cursor === null ? undefined : lt(id, cursor),
        ),
      )
      .orderBy(desc(id))
      .limit(limit + 1),
  );
  const views = rows.map(({ finding, parkedAt }) => ({ ...finding, parkedAt }));
  return toPage(views, limit, (view) => [view.id]);
}

/** Newest first. */
export async function listBooksRuns(ctx: CoreContext, input: PageInput): Promise<Page<BooksRunRow>> {
  authorize(ctx.actor, "admin.books.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const rows = await ctx.db.drizzle
    .select()
    .from(booksRuns)
    .where(cursor === null ? undefined : lt(booksRuns.id, cursor))
    .orderBy(desc(booksRuns.id))
    .limit(limit + 1);
  return toPage(rows, limit, (row) => [row.id]);
}

export async function getParking(ctx: CoreContext, organizationId: string): Promise<Parking> {
  const { parkedAt, parkedReason: reason, unparkedAt } = organizations;
  const [row] = await ctx
    .forOrganization(organizationId)
    .transaction((tx) =>
      tx.sql.select({ parkedAt, reason, unparkedAt }).from(organizations).where(eq(organizations.id, organizationId)),
    );
  if (row === undefined) throw notFound("organization");
  return row;
}

/** Ids of the checks by which the organization's books are wrong. Its caller holds the organization's lock. */
export async function listWrongChecks(tx: Tx): Promise<readonly string[]> {
  const { checkId, kind, organizationId, resolvedAt } = booksFindings;
  const rows = await tx.sql
    .selectDistinct({ checkId })
    .from(booksFindings)
    .where(and(eq(organizationId, organizationOf(tx)), eq(kind, "books"), isNull(resolvedAt)))
    .orderBy(asc(checkId));
  return rows.map((row) => row.checkId);
}

/** Open findings, for metrics and so for alerts. */
export async function countBooksFindings(
  ctx: CoreContext,
): Promise<readonly { readonly checkId: string; readonly kind: BooksKind; readonly findings: number }[]> {
  const { checkId, kind, resolvedAt } = booksFindings;
  return ctx.db.drizzle
    .select({ checkId, kind, findings: count() })
    .from(booksFindings)
    .where(isNull(resolvedAt))
    .groupBy(checkId, kind);
}

/** When the books were last asked, by mode. */
export async function listLastBooksRuns(
  ctx: CoreContext,
): Promise<readonly { readonly mode: BooksRunRow["mode"]; readonly finishedAt: Date | null }[]> {
  const { mode, finishedAt } = booksRuns;
  return ctx.db.drizzle
    .select({ mode, finishedAt: max(finishedAt) })
    .from(booksRuns)
    .groupBy(mode);
}

/** For the clean-up job. What still stands is kept, however old it is. */
export async function deleteOldBooks(ctx: CoreContext): Promise<{ readonly runs: number; readonly findings: number }> {
  const now = ctx.clock.now();
  const runs = await ctx.db.drizzle.delete(booksRuns).where(lt(booksRuns.finishedAt, addMs(now, -runsKeptMs)));
  const findings = await ctx.db.drizzle
    .delete(booksFindings)
    .where(lt(booksFindings.resolvedAt, addMs(now, -findingsKeptMs)));
  return { runs: runs.count, findings: findings.count };
}
