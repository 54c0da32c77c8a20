import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { type BooksCheck, booksChecks } from "./checks.ts";

export interface BooksFinding {
  readonly check: Pick<BooksCheck, "id" | "promise" | "kind">;
  /** Ids of rows that break the promise; at most ten. */
  readonly rows: readonly string[];
}

const rowsAtMost = 10;

/** Asks every check over all organizations, in one picture of the database. No finding: the books hold. */
export async function checkBooks(ctx: CoreContext): Promise<readonly BooksFinding[]> {
  authorize(ctx.actor, "admin.ledger.verify");
  const now = ctx.clock.now();
  return ctx.db.drizzle.transaction(
    async (reader) => {
      const findings: BooksFinding[] = [];
      for (const { id, promise, kind, rows: select } of booksChecks) {
        const found = await reader.execute<{ id: string }>(
          sql`select id::text from (${select(now)}) broken limit ${rowsAtMost}`,
        );
        if (found.length > 0) findings.push({ check: { id, promise, kind }, rows: found.map((row) => row.id) });
      }
      return findings;
    },
    { isolationLevel: "repeatable read", accessMode: "read only" },
  );
}
