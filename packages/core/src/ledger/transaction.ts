import type { ledgerTransactions } from "@sewa/db/schema";
import { sha256Hex } from "../ids.ts";
import type { LedgerAccountKind } from "./account.ts";

export type LedgerTransactionRow = typeof ledgerTransactions.$inferSelect;

/** Money that moves from one account to another, in one currency. */
export interface Posting {
  readonly kind: LedgerTransactionRow["kind"];
  readonly source: { readonly type: LedgerTransactionRow["sourceType"]; readonly id: string };
  /** Posted once; a second time nothing happens. */
  readonly key: string;
  readonly debit: LedgerAccountKind;
  readonly credit: LedgerAccountKind;
  readonly amountMinor: bigint;
  /** The part of it that is tax: the leg on revenue is that much smaller, and `tax_payable` has one of its own. */
  readonly taxMinor?: bigint;
  readonly currency: string;
}

/** Takes back, once and in full, what was posted under another key. Nothing happens if nothing was. */
export interface Reversal {
  readonly kind: LedgerTransactionRow["kind"];
  readonly source: Posting["source"];
  readonly key: string;
  readonly reversesKey: string;
}

export interface DigestedEntry {
  readonly position: number;
  readonly accountId: string;
  readonly currency: string;
  readonly amountMinor: bigint;
}

type DigestedTransaction = Pick<
  LedgerTransactionRow,
  | "id"
  | "organizationId"
  | "sequence"
  | "kind"
  | "sourceType"
  | "sourceId"
  | "idempotencyKey"
  | "reversesId"
  | "postedAt"
>;

/** What a transaction and its entries say, in one order and one spelling. It holds ids and amounts, nothing personal. */
export function digestOf(transaction: DigestedTransaction, entries: readonly DigestedEntry[]): string {
  const { id, organizationId, sequence, kind, sourceType, sourceId, idempotencyKey, reversesId, postedAt } =
    transaction;
  const lines = [
    [
      organizationId,
      sequence,
      id,
      kind,
      sourceType,
      sourceId,
      idempotencyKey,
      reversesId ?? "",
      postedAt.toISOString(),
    ],
    ...entries
      .toSorted((a, b) => a.position - b.position)
      .map(({ position, accountId, currency, amountMinor }) => [position, accountId, currency, amountMinor]),
  ];
  return sha256Hex(lines.map((line) => line.join("|")).join("\n"));
}

/** Each link holds all before it: a row that was changed, taken out or put in between breaks every later one. */
export function chainAfter(before: string, digest: string): string {
  return sha256Hex(before + digest);
}
