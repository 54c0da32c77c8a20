import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { askBooks } from "./ask-books.ts";
import type { BooksPromise } from "./check.ts";
import { booksChecks } from "./checks.ts";

export interface BooksFinding {
  readonly check: Pick<BooksPromise, "id" | "promise" | "kind">;
  /** Ids of rows that break the promise; at most ten. */
  readonly rows: readonly string[];
}

const rowsAtMost = 10;

/** Asks every check over all organizations, in one picture of the database, and writes nothing. No finding: the books hold. */
export async function checkBooks(ctx: CoreContext): Promise<readonly BooksFinding[]> {
  authorize(ctx.actor, "admin.ledger.verify");
  const { breaches } = await ctx.picture((reader) =>
    askBooks(reader, booksChecks, { now: ctx.clock.now(), organizationIds: null }),
  );
  const byCheck = Map.groupBy(breaches, ({ check }) => check);
  return [...byCheck].map(([{ id, promise, kind }, found]) => ({
    check: { id, promise, kind },
    rows: found.slice(0, rowsAtMost).map(({ rowId }) => rowId),
  }));
}
