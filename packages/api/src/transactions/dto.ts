import type { MoneyDto } from "../dto.ts";

/** What moved: money that is owed, has come, was earned, is the state's, is paid ahead, on its way back, given up, or was given away. */
export type LedgerAccountDto =
  "receivable" | "cash" | "revenue" | "tax_payable" | "wallet" | "refund_due" | "bad_debt" | "goodwill";

/** One move of money in the books. Never changes. */
export interface TransactionDto {
  readonly id: string;
  /** Counts the organization's transactions, without gaps. */
  readonly sequence: number;
  readonly kind:
    | "invoice_opened"
    | "invoice_voided"
    | "invoice_written_off"
    | "payment_received"
    | "payment_refunded"
    | "wallet_topped_up"
    | "wallet_credited"
    | "wallet_spent"
    | "wallet_refunded"
    | "wallet_adjusted"
    | "refund_promised";
  /** With the tax in it. */
  readonly amount: MoneyDto;
  /** The account that it went to, in the words of bookkeeping, and the one that it came from. */
  readonly debit: LedgerAccountDto;
  readonly credit: LedgerAccountDto;
  /** The invoice, payment, refund or adjustment that it is about. */
  readonly sourceId: string;
  readonly postedAt: Date;
}

export interface TransactionPageDto {
  readonly items: readonly TransactionDto[];
  readonly nextCursor: string | null;
}

export interface TransactionInput {
  readonly transactionId: string;
}
