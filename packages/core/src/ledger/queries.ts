import { ledgerAccounts, organizationHeads } from "@sewa/db/schema";
import { asc, eq, gt } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";

/** Every organization that has books, in the order of their ids. */
export async function listOrganizationsWithLedger(ctx: CoreContext): Promise<readonly string[]> {
  const rows = await ctx.db.drizzle
    .select({ id: organizationHeads.organizationId })
    .from(organizationHeads)
    .where(gt(organizationHeads.ledgerSequence, 0))
    .orderBy(asc(organizationHeads.organizationId));
  return rows.map(({ id }) => id);
}

/** Balances of the bound organization, on each account's normal side. */
export async function listBalances(
  tx: Tx,
): Promise<readonly { readonly kind: string; readonly currency: string; readonly balanceMinor: bigint }[]> {
  return tx.sql
    .select({
      kind: ledgerAccounts.kind,
      currency: ledgerAccounts.currency,
      balanceMinor: ledgerAccounts.balanceMinor,
    })
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.organizationId, organizationOf(tx)))
    .orderBy(asc(ledgerAccounts.kind), asc(ledgerAccounts.currency));
}
