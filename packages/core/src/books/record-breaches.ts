import type { Transaction } from "@sewa/db";
import { booksFindings } from "@sewa/db/schema";
import { eq, isNull, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { type Answer, anyOf, type Breach } from "./ask-books.ts";
import type { BooksPromise } from "./check.ts";

export type BooksFindingRow = typeof booksFindings.$inferSelect;

export interface Asked extends Answer {
  readonly checks: readonly BooksPromise[];
  /** Null: everybody. */
  readonly organizationIds: readonly string[] | null;
}

/** Opens what is new, sees again what stands, and resolves what was asked about and is no longer so. */
export async function recordBreaches(
  ctx: CoreContext,
  tx: Transaction,
  { breaches, cut, checks, organizationIds }: Asked,
): Promise<{ readonly opened: readonly BooksFindingRow[]; readonly resolved: number }> {
  const now = ctx.clock.now();
  const found = new Map(breaches.map((breach) => [identityOf(breach.check.id, breach), breach]));
  const asked = new Map(checks.map((check) => [check.id, check]));
  const members = organizationIds === null ? null : new Set<string | null>(organizationIds);
  const isCovered = ({ checkId, organizationId }: BooksFindingRow): boolean => {
    const check = asked.get(checkId);
    if (check === undefined || cut.has(check)) return false;
    return check.by !== "change" || members === null || members.has(organizationId);
  };
  const open = await tx.select().from(booksFindings).where(isNull(booksFindings.resolvedAt));
  const standing = new Set(open.filter((row) => found.delete(identityOf(row.checkId, row))));
  const gone = open.filter((row) => !standing.has(row) && isCovered(row));
  await touch(tx, [...standing], { lastSeenAt: now });
  await touch(tx, gone, { resolvedAt: now });
  return { opened: await insert(ctx, tx, [...found.values()]), resolved: gone.length };
}

async function insert(ctx: CoreContext, tx: Transaction, breaches: readonly Breach[]): Promise<BooksFindingRow[]> {
  const now = ctx.clock.now();
  const opened: BooksFindingRow[] = [];
  for (let start = 0; start < breaches.length; start += insertedAtOnce) {
    const rows = breaches.slice(start, start + insertedAtOnce).map(({ check, rowId, organizationId }) => ({
      id: ctx.ids.next(),
      checkId: check.id,
      kind: check.kind,
      rowId,
      organizationId,
      firstSeenAt: now,
      lastSeenAt: now,
    }));
    opened.push(...(await tx.insert(booksFindings).values(rows).returning()));
  }
  return opened;
}

/** A statement has 65,535 parameters at most. */
const insertedAtOnce = 5_000;

async function touch(
  tx: Transaction,
  rows: readonly BooksFindingRow[],
  values: Partial<Pick<BooksFindingRow, "lastSeenAt" | "resolvedAt">>,
): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .update(booksFindings)
    .set(values)
    .where(eq(booksFindings.id, sql`${anyOf(rows.map(({ id }) => id))}`));
}

function identityOf(checkId: string, { rowId, organizationId }: Pick<Breach, "rowId" | "organizationId">): string {
  return `${checkId} ${organizationId ?? "house"} ${rowId}`;
}
