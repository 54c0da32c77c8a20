import { ledgerAccounts } from "@sewa/db/schema";
import { and, asc, eq, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import type { Money } from "../money.ts";

/** What this transaction has put in and taken out by currency: postings are written at its end, so no row shows it yet. */
const moved = new WeakMap<Tx, Map<string, bigint>>();

/**
 * Takes the wallet's row, if there is one yet, and answers what it holds. Whoever changes a wallet does this first, before
 * node pools, counters of invoices and the event head: so two spends of the last balance come one after the other.
 */
export async function lockWallet(tx: Tx, currency: string): Promise<bigint> {
  const [row] = await tx.sql.execute<{ balance: string | null }>(
    sql`select lock_wallet(${organizationOf(tx)}, ${currency}) as balance`,
  );
  return BigInt(row?.balance ?? 0) + (moved.get(tx)?.get(currency) ?? 0n);
}

/** Remembers what the transaction moves, for whoever asks again before its end. */
export function noteMove(tx: Tx, { currency, amountMinor }: Money): void {
  const own = moved.get(tx) ?? new Map<string, bigint>();
  own.set(currency, (own.get(currency) ?? 0n) + amountMinor);
  moved.set(tx, own);
}

/** What the organization's wallets hold, by currency. */
export async function listWalletBalances(tx: Tx): Promise<readonly Money[]> {
  return tx.sql
    .select({ amountMinor: ledgerAccounts.balanceMinor, currency: ledgerAccounts.currency })
    .from(ledgerAccounts)
    .where(and(eq(ledgerAccounts.organizationId, organizationOf(tx)), eq(ledgerAccounts.kind, "wallet")))
    .orderBy(asc(ledgerAccounts.currency));
}
