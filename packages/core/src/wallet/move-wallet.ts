import { organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { ensureAccount, type LedgerAccountKind, post, type Posting } from "../ledger/index.ts";
import { lockWallet, noteMove } from "./wallet-balance.ts";

type Move = Omit<Posting, "debit" | "credit"> & {
  /** Where it comes from, or goes to. */
  readonly other: LedgerAccountKind;
};

/** Puts money into the wallet. */
export async function creditWallet(tx: Tx, { other, ...move }: Move): Promise<void> {
  await ensureAccount(tx, "wallet", move.currency);
  await lockWallet(tx, move.currency);
  noteMove(tx, move);
  post(tx, { ...move, debit: other, credit: "wallet" });
}

/** Takes money out of it, or throws INSUFFICIENT_FUNDS and nothing has changed. What is left may be too little now. */
export async function debitWallet(tx: Tx, { other, ...move }: Move): Promise<void> {
  const balance = await lockWallet(tx, move.currency);
  if (balance < move.amountMinor) throw new DomainError("INSUFFICIENT_FUNDS", "Balance is too low.");
  noteMove(tx, { ...move, amountMinor: -move.amountMinor });
  post(tx, { ...move, debit: "wallet", credit: other });
  await enqueue(tx, "wallet:topUp", { organizationId: organizationOf(tx) });
}
