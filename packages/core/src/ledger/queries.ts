import {
  ledgerAccounts,
  ledgerCheckpoints,
  ledgerEntries,
  ledgerTransactions,
  organizationHeads,
} from "@sewa/db/schema";
import { and, asc, desc, eq, exists, gt, inArray, lt, or } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readNumberCursor, toPage } from "../pages.ts";
import type { LedgerAccountKind } from "./account.ts";
import type { LedgerTransactionRow } from "./transaction.ts";

/** Every organization that has books, or had some when they were signed, in the order of their ids. */
export async function listOrganizationsWithLedger(ctx: CoreContext): Promise<readonly string[]> {
  const signed = ctx.db.drizzle
    .select({ id: ledgerCheckpoints.id })
    .from(ledgerCheckpoints)
    .where(eq(ledgerCheckpoints.organizationId, organizationHeads.organizationId));
  const rows = await ctx.transaction((tx) =>
    tx.sql
      .select({ id: organizationHeads.organizationId })
      .from(organizationHeads)
      .where(or(gt(organizationHeads.ledgerSequence, 0), exists(signed)))
      .orderBy(asc(organizationHeads.organizationId)),
  );
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

/** A move as people read it: how much went from where to where. */
export interface TransactionView {
  readonly transaction: LedgerTransactionRow;
  readonly debit: LedgerAccountKind;
  readonly credit: LedgerAccountKind;
  readonly amountMinor: bigint;
  readonly currency: string;
}

/** Newest first. */
export async function listTransactions(ctx: CoreContext, input: PageInput): Promise<Page<TransactionView>> {
  const before = readNumberCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(ledgerTransactions)
      .where(
        and(
          eq(ledgerTransactions.organizationId, organizationOf(tx)),
          before === null ? undefined : lt(ledgerTransactions.sequence, before),
        ),
      )
      .orderBy(desc(ledgerTransactions.sequence))
      .limit(limit + 1);
    const page = toPage(rows, limit, ({ sequence }) => [sequence]);
    return { ...page, items: await toViews(tx, page.items) };
  });
}

export async function getTransaction(ctx: CoreContext, transactionId: string): Promise<TransactionView> {
  return ctx.transaction((tx) => one(tx, eq(ledgerTransactions.id, transactionId)));
}

/** What was posted under a key. */
export async function getTransactionByKey(ctx: CoreContext, key: string): Promise<TransactionView> {
  return ctx.transaction((tx) => one(tx, eq(ledgerTransactions.idempotencyKey, key)));
}

async function one(tx: Tx, which: ReturnType<typeof eq>): Promise<TransactionView> {
  const rows = await tx.sql
    .select()
    .from(ledgerTransactions)
    .where(and(eq(ledgerTransactions.organizationId, organizationOf(tx)), which));
  const [view] = await toViews(tx, rows);
  if (view === undefined) throw notFound("transaction");
  return view;
}

async function toViews(tx: Tx, rows: readonly LedgerTransactionRow[]): Promise<readonly TransactionView[]> {
  if (rows.length === 0) return [];
  const legs = await tx.sql
    .select({
      transactionId: ledgerEntries.transactionId,
      kind: ledgerAccounts.kind,
      amountMinor: ledgerEntries.amountMinor,
      currency: ledgerEntries.currency,
    })
    .from(ledgerEntries)
    .innerJoin(ledgerAccounts, eq(ledgerAccounts.id, ledgerEntries.accountId))
    .where(
      inArray(
        ledgerEntries.transactionId,
        rows.map(({ id }) => id),
      ),
    )
    .orderBy(asc(ledgerEntries.position));
  return rows.map((transaction) => {
    const own = legs.filter(({ transactionId }) => transactionId === transaction.id);
    const debits = own.filter(({ amountMinor }) => amountMinor > 0n);
    // Where there is a leg for tax, the one that it was split from comes before it.
    const [debit] = debits;
    const credit = own.find(({ amountMinor }) => amountMinor < 0n);
    assert(debit !== undefined && credit !== undefined, "a transaction has two sides");
    const { currency } = debit;
    const amountMinor = debits.reduce((sum, leg) => sum + leg.amountMinor, 0n);
    return { transaction, debit: debit.kind, credit: credit.kind, amountMinor, currency };
  });
}
