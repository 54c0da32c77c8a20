import { ledgerAccounts, ledgerEntries, ledgerTransactions, organizationHeads } from "@sewa/db/schema";
import { and, asc, eq, gt, inArray } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import type { Keyring } from "../keyring.ts";
import { authorize } from "../permissions.ts";
import { type CheckpointRow, findCheckpoint, type Head, isGenuine, type Reader } from "./checkpoint.ts";
import { chainAfter, digestOf, type LedgerTransactionRow } from "./transaction.ts";

/** The first thing that is wrong with an organization's books. */
export interface LedgerFault {
  readonly organizationId: string;
  readonly subject: { readonly type: "transaction" | "account" | "head" | "checkpoint"; readonly id: string };
  readonly message: string;
}

export interface VerifiedLedger {
  /** How many transactions were looked at. */
  readonly transactions: number;
  /** As far as all of it holds. */
  readonly head: Head;
  /** Up to there it was signed before. */
  readonly isSigned: boolean;
  /** Null: all of it holds. */
  readonly fault: LedgerFault | null;
}

const pageSize = 500;

/**
 * Recomputes every digest, every link of the chain and every balance of one organization from its rows, in one picture of
 * the database, and holds them against what was signed.
 */
export async function verifyLedger(ctx: CoreContext, organizationId: string): Promise<VerifiedLedger> {
  authorize(ctx.actor, "admin.ledger.verify");
  return ctx
    .forOrganization(organizationId)
    .picture((reader) => verifyLedgerIn(reader, { organizationId, keyring: ctx.keyring }));
}

/** The same, in the picture of somebody who goes on in it. */
export async function verifyLedgerIn(
  reader: Reader,
  { organizationId, keyring }: { readonly organizationId: string; readonly keyring: Keyring },
): Promise<VerifiedLedger> {
  const start = await findCheckpoint(reader, organizationId, "start");
  const latest = await findCheckpoint(reader, organizationId, "latest");
  const sums = new Map(Object.entries(start?.opening ?? {}).map(([accountId, amount]) => [accountId, BigInt(amount)]));
  let head: Head = { sequence: start?.sequence ?? 0, chain: start?.chain ?? "" };
  let transactions = 0;
  const fault = (type: LedgerFault["subject"]["type"], id: string, message: string): VerifiedLedger => ({
    transactions,
    head,
    isSigned: false,
    fault: { organizationId, subject: { type, id }, message },
  });
  const forged = [start, latest].find((row) => row !== null && !isGenuine(keyring, row)) ?? null;
  if (forged !== null) return fault("checkpoint", forged.id, "It was not signed by us, or was changed since.");
  for (;;) {
    const page = await readPage(reader, organizationId, head.sequence);
    for (const { row, entries } of page) {
      const message = wrongWith(row, { entries, head, latest });
      if (message !== null) return fault("transaction", row.id, message);
      for (const { accountId, amountMinor } of entries) sums.set(accountId, (sums.get(accountId) ?? 0n) + amountMinor);
      head = { sequence: row.sequence, chain: row.chain };
      transactions += 1;
    }
    if (page.length < pageSize) break;
  }
  const said = await readHead(reader, organizationId);
  if (said?.sequence !== head.sequence || said.chain !== head.chain) {
    const message = `The head names transaction ${said?.sequence ?? "none"}, the last one is ${head.sequence}.`;
    return fault("head", organizationId, message);
  }
  if (latest !== null && latest.sequence > head.sequence) {
    const message = `Transaction ${latest.sequence} was signed, the last one is ${head.sequence}.`;
    return fault("checkpoint", latest.id, message);
  }
  const account = await findWrongBalance(reader, organizationId, sums);
  const isSigned = latest?.sequence === head.sequence;
  return account === null
    ? { transactions, head, isSigned, fault: null }
    : fault("account", account.id, account.message);
}

type Entry = typeof ledgerEntries.$inferSelect;

interface Posted {
  readonly row: LedgerTransactionRow;
  readonly entries: readonly Entry[];
}

/** Oldest first, after `sequence`. */
async function readPage(reader: Reader, organizationId: string, sequence: number): Promise<readonly Posted[]> {
  const rows = await reader
    .select()
    .from(ledgerTransactions)
    .where(and(eq(ledgerTransactions.organizationId, organizationId), gt(ledgerTransactions.sequence, sequence)))
    .orderBy(asc(ledgerTransactions.sequence))
    .limit(pageSize);
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const entries = await reader.select().from(ledgerEntries).where(inArray(ledgerEntries.transactionId, ids));
  const byTransaction = Map.groupBy(entries, ({ transactionId }) => transactionId);
  return rows.map((row) => ({ row, entries: byTransaction.get(row.id) ?? [] }));
}

function wrongWith(
  row: LedgerTransactionRow,
  known: { readonly entries: readonly Entry[]; readonly head: Head; readonly latest: CheckpointRow | null },
): string | null {
  const { entries, head, latest } = known;
  if (row.sequence !== head.sequence + 1) return `Number ${head.sequence + 1} is missing before it.`;
  if (digestOf(row, entries) !== row.digest) return "It or its entries are not what was posted.";
  if (chainAfter(head.chain, row.digest) !== row.chain) return "The chain is broken here.";
  if (entries.length < 2 || entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) !== 0n)
    return "It does not sum to zero.";
  if (latest?.sequence === row.sequence && latest.chain !== row.chain)
    return "The chain was written anew: up to here another one was signed.";
  return null;
}

async function readHead(reader: Reader, organizationId: string): Promise<Head | undefined> {
  const [head] = await reader
    .select({ sequence: organizationHeads.ledgerSequence, chain: organizationHeads.ledgerChain })
    .from(organizationHeads)
    .where(eq(organizationHeads.organizationId, organizationId));
  return head;
}

async function findWrongBalance(
  reader: Reader,
  organizationId: string,
  sums: ReadonlyMap<string, bigint>,
): Promise<{ readonly id: string; readonly message: string } | null> {
  const accounts = await reader
    .select()
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.organizationId, organizationId))
    .orderBy(asc(ledgerAccounts.id));
  for (const { id, kind, currency, normalSide, balanceMinor } of accounts) {
    const sum = sums.get(id) ?? 0n;
    const computed = normalSide === "debit" ? sum : -sum;
    if (computed !== balanceMinor) {
      const message = `The balance of ${kind} ${currency} says ${balanceMinor}, its entries sum to ${computed}.`;
      return { id, message };
    }
  }
  return null;
}
