import { ledgerAccounts, ledgerEntries, ledgerTransactions, organizationHeads } from "@sewa/db/schema";
import { and, asc, eq, gt, inArray } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { authorize } from "../permissions.ts";
import { chainAfter, digestOf } from "./transaction.ts";

/** The first thing that is wrong with an organization's books. */
export interface LedgerFault {
  readonly organizationId: string;
  readonly subject: { readonly type: "transaction" | "account" | "head"; readonly id: string };
  readonly message: string;
}

const pageSize = 500;

/**
 * Recomputes every digest, every link of the chain and every balance of one organization from its rows, in one picture of
 * the database. Null: all of it holds. `transactions` says how many were looked at.
 */
export async function verifyLedger(
  ctx: CoreContext,
  organizationId: string,
): Promise<{ readonly transactions: number; readonly fault: LedgerFault | null }> {
  authorize(ctx.actor, "admin.ledger.verify");
  return ctx.forOrganization(organizationId).picture((reader) => verify(reader, organizationId));
}

type Reader = Parameters<Parameters<CoreContext["db"]["drizzle"]["transaction"]>[0]>[0];

async function verify(
  reader: Reader,
  organizationId: string,
): Promise<{ readonly transactions: number; readonly fault: LedgerFault | null }> {
  const sums = new Map<string, bigint>();
  let sequence = 0;
  let chain = "";
  for (;;) {
    const page = await reader
      .select()
      .from(ledgerTransactions)
      .where(and(eq(ledgerTransactions.organizationId, organizationId), gt(ledgerTransactions.sequence, sequence)))
      .orderBy(asc(ledgerTransactions.sequence))
      .limit(pageSize);
    if (page.length === 0) break;
    const entries = await reader
      .select()
      .from(ledgerEntries)
      .where(
        inArray(
          ledgerEntries.transactionId,
          page.map(({ id }) => id),
        ),
      );
    for (const row of page) {
      const fault = (message: string) => ({
        transactions: sequence,
        fault: { organizationId, subject: { type: "transaction" as const, id: row.id }, message },
      });
      const own = entries.filter(({ transactionId }) => transactionId === row.id);
      if (row.sequence !== sequence + 1) return fault(`Number ${sequence + 1} is missing before it.`);
      if (digestOf(row, own) !== row.digest) return fault("It or its entries are not what was posted.");
      if (chainAfter(chain, row.digest) !== row.chain) return fault("The chain is broken here.");
      if (own.length < 2 || own.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) !== 0n)
        return fault("It does not sum to zero.");
      for (const { accountId, amountMinor } of own) sums.set(accountId, (sums.get(accountId) ?? 0n) + amountMinor);
      sequence = row.sequence;
      chain = row.chain;
    }
  }
  return { transactions: sequence, fault: await verifyEnds(reader, organizationId, { sequence, chain, sums }) };
}

async function verifyEnds(
  reader: Reader,
  organizationId: string,
  found: { readonly sequence: number; readonly chain: string; readonly sums: ReadonlyMap<string, bigint> },
): Promise<LedgerFault | null> {
  const [head] = await reader
    .select({ sequence: organizationHeads.ledgerSequence, chain: organizationHeads.ledgerChain })
    .from(organizationHeads)
    .where(eq(organizationHeads.organizationId, organizationId));
  if (head?.sequence !== found.sequence || head.chain !== found.chain) {
    const message = `The head names transaction ${head?.sequence ?? "none"}, the last one is ${found.sequence}.`;
    return { organizationId, subject: { type: "head", id: organizationId }, message };
  }
  const accounts = await reader
    .select()
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.organizationId, organizationId))
    .orderBy(asc(ledgerAccounts.id));
  for (const { id, kind, currency, normalSide, balanceMinor } of accounts) {
    const sum = found.sums.get(id) ?? 0n;
    const computed = normalSide === "debit" ? sum : -sum;
    if (computed !== balanceMinor) {
      const message = `The balance of ${kind} ${currency} says ${balanceMinor}, its entries sum to ${computed}.`;
      return { organizationId, subject: { type: "account", id }, message };
    }
  }
  return null;
}
