export { type LedgerAccountKind, ledgerAccountKinds } from "./account.ts";
export { ensureAccount, post } from "./post.ts";
export {
  getTransactionByKey,
  getTransaction,
  listBalances,
  listOrganizationsWithLedger,
  listTransactions,
  type TransactionView,
} from "./queries.ts";
export type { LedgerTransactionRow, Posting, Reversal } from "./transaction.ts";
export { type LedgerFault, verifyLedger } from "./verify-ledger.ts";
