import { ledgerAccounts, ledgerEntries, ledgerTransactions, organizationHeads } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { type LedgerAccountKind, ledgerAccountKinds } from "./account.ts";
import { chainAfter, digestOf, type LedgerTransactionRow, type Posting, type Reversal } from "./transaction.ts";

const pending = new WeakMap<Tx, (Posting | Reversal)[]>();

/**
 * Writes money down as the last statements of the transaction, in the order in which it was said: the organization's head
 * row is locked then, so that numbers have no gaps and the chain no forks. Nothing to move is nothing to write.
 */
export function post(tx: Tx, posting: Posting | Reversal): void {
  if ("amountMinor" in posting) {
    assert(posting.amountMinor >= 0n, "money is moved forwards; the other way it is a posting of its own");
    if (posting.amountMinor === 0n) return;
  }
  const list = pending.get(tx);
  if (list !== undefined) {
    list.push(posting);
    return;
  }
  const first = [posting];
  pending.set(tx, first);
  tx.beforeCommit.push(() => flush(tx, first));
}

interface Leg {
  readonly accountId: string;
  readonly currency: string;
  readonly amountMinor: bigint;
}

async function flush(tx: Tx, postings: readonly (Posting | Reversal)[]): Promise<void> {
  const organizationId = organizationOf(tx);
  const own = eq(organizationHeads.organizationId, organizationId);
  const [head] = await tx.sql
    .select({ sequence: organizationHeads.ledgerSequence, chain: organizationHeads.ledgerChain })
    .from(organizationHeads)
    .where(own)
    .for("update");
  assert(head !== undefined, "every organization has a head row");
  let { sequence, chain } = head;
  for (const posting of postings) {
    if ((await findByKey(tx, posting.key)) !== null) continue;
    const reversed = "reversesKey" in posting ? await findByKey(tx, posting.reversesKey) : null;
    if ("reversesKey" in posting && reversed === null) continue;
    const legs = "reversesKey" in posting ? await oppositeLegs(tx, reversed) : await legsOf(tx, posting);
    sequence += 1;
    chain = await write(tx, { posting, legs, sequence, reversesId: reversed?.id ?? null, before: chain });
  }
  if (sequence > head.sequence) {
    await tx.sql.update(organizationHeads).set({ ledgerSequence: sequence, ledgerChain: chain }).where(own);
  }
}

async function findByKey(tx: Tx, key: string): Promise<{ readonly id: string } | null> {
  const [row] = await tx.sql
    .select({ id: ledgerTransactions.id })
    .from(ledgerTransactions)
    .where(and(eq(ledgerTransactions.organizationId, organizationOf(tx)), eq(ledgerTransactions.idempotencyKey, key)));
  return row ?? null;
}

async function legsOf(
  tx: Tx,
  { debit, credit, amountMinor, taxMinor = 0n, currency }: Posting,
): Promise<readonly Leg[]> {
  const moves = [...splitTax(debit, amountMinor, taxMinor), ...splitTax(credit, -amountMinor, -taxMinor)];
  const legs: Leg[] = [];
  for (const move of moves) {
    if (move.amountMinor === 0n) continue;
    legs.push({ accountId: await ensureAccount(tx, move.kind, currency), currency, amountMinor: move.amountMinor });
  }
  return legs;
}

/** Only what is earned is revenue. */
function splitTax(
  kind: LedgerAccountKind,
  amountMinor: bigint,
  taxMinor: bigint,
): readonly { readonly kind: LedgerAccountKind; readonly amountMinor: bigint }[] {
  if (kind !== "revenue") return [{ kind, amountMinor }];
  return [
    { kind, amountMinor: amountMinor - taxMinor },
    { kind: "tax_payable", amountMinor: taxMinor },
  ];
}

async function oppositeLegs(tx: Tx, reversed: { readonly id: string } | null): Promise<readonly Leg[]> {
  assert(reversed !== null, "what is reversed was posted");
  const entries = await tx.sql
    .select()
    .from(ledgerEntries)
    .where(eq(ledgerEntries.transactionId, reversed.id))
    .orderBy(ledgerEntries.position);
  return entries.map(({ accountId, currency, amountMinor }) => ({ accountId, currency, amountMinor: -amountMinor }));
}

/** The account's id; made by whoever needs it first. */
export async function ensureAccount(tx: Tx, kind: LedgerAccountKind, currency: string): Promise<string> {
  const organizationId = organizationOf(tx);
  await tx.sql
    .insert(ledgerAccounts)
    .values({ id: tx.ctx.ids.next(), organizationId, kind, currency, ...ledgerAccountKinds[kind] })
    .onConflictDoNothing();
  const [account] = await tx.sql
    .select({ id: ledgerAccounts.id })
    .from(ledgerAccounts)
    .where(
      and(
        eq(ledgerAccounts.organizationId, organizationId),
        eq(ledgerAccounts.kind, kind),
        eq(ledgerAccounts.currency, currency),
      ),
    );
  assert(account !== undefined, "an account that was made is there");
  return account.id;
}

/** Answers the chain's new end. */
async function write(
  tx: Tx,
  input: {
    readonly posting: Posting | Reversal;
    readonly legs: readonly Leg[];
    readonly sequence: number;
    readonly reversesId: string | null;
    readonly before: string;
  },
): Promise<string> {
  const { posting, legs, sequence, reversesId, before } = input;
  const organizationId = organizationOf(tx);
  const transaction: Omit<LedgerTransactionRow, "digest" | "chain" | "createdAt"> = {
    id: tx.ctx.ids.next(),
    organizationId,
    sequence,
    kind: posting.kind,
    sourceType: posting.source.type,
    sourceId: posting.source.id,
    idempotencyKey: posting.key,
    reversesId,
    postedAt: tx.now,
  };
  const entries = legs.map((leg, index) => ({ ...leg, position: index + 1 }));
  const digest = digestOf(transaction, entries);
  const chain = chainAfter(before, digest);
  await tx.sql.insert(ledgerTransactions).values({ ...transaction, digest, chain });
  await tx.sql
    .insert(ledgerEntries)
    .values(
      entries.map((entry) => ({ id: tx.ctx.ids.next(), organizationId, transactionId: transaction.id, ...entry })),
    );
  return chain;
}
