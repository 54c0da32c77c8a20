import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { type BooksLook, lookAtBooks } from "./look-at-books.ts";
import { parkConcerned, type Parked } from "./park-concerned.ts";

export interface BooksOutcome extends BooksLook {
  readonly parked: readonly Parked[];
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
