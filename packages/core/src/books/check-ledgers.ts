import { organizations } from "@sewa/db/schema";
import { isNotNull } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import {
  type LedgerFault,
  listOrganizationsWithLedger,
  removeOldTransactions,
  signLatest,
  type VerifiedLedger,
} from "../ledger/index.ts";
import { authorize } from "../permissions.ts";
import { lookAtLedger } from "./look-at-ledger.ts";
import { parkConcerned, type Parked } from "./park-concerned.ts";

export interface CheckedLedgers {
  readonly organizations: number;
  readonly transactions: number;
  /** One for each organization whose ledger does not hold. It is signed no further and nothing of it is removed. */
  readonly faults: readonly LedgerFault[];
  readonly parked: readonly Parked[];
  /** Transactions that were older than they are kept. */
  readonly removed: number;
}

/**
 * Recomputes every ledger, parks whose does not hold, signs how far the others do, and removes what is older than books are
 * kept; of who is parked nothing, because somebody has to look at it. Run any number of times at once: a checkpoint says
 * what holds, whoever signs it. Who could not be looked at because others did is looked at the next time.
 */
export async function checkLedgers(ctx: CoreContext, signal?: AbortSignal): Promise<CheckedLedgers> {
  authorize(ctx.actor, "admin.books.check");
  const faults: LedgerFault[] = [];
  let [looked, transactions, removed] = [0, 0, 0];
  const parked = await listParked(ctx);
  for (const organizationId of await listOrganizationsWithLedger(ctx)) {
    signal?.throwIfAborted();
    const verified = await lookAtLedger(ctx, organizationId);
    if (verified === null) continue;
    looked += 1;
    transactions += verified.transactions;
    if (verified.fault !== null) faults.push(verified.fault);
    else removed += await settle(ctx.forOrganization(organizationId), verified, !parked.has(organizationId));
  }
  return { organizations: looked, transactions, faults, parked: await parkConcerned(ctx), removed };
}

async function settle(ctx: CoreContext, { head, isSigned }: VerifiedLedger, mayRemove: boolean): Promise<number> {
  if (!isSigned) await ctx.transaction((tx) => signLatest(tx, head));
  return mayRemove ? removeOldTransactions(ctx) : 0;
}

async function listParked(ctx: CoreContext): Promise<ReadonlySet<string>> {
  const { id, parkedAt } = organizations;
  const rows = await ctx.db.drizzle.select({ id }).from(organizations).where(isNotNull(parkedAt));
  return new Set(rows.map((row) => row.id));
}
