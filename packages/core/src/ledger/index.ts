export { type LedgerAccountKind, ledgerAccountKinds } from "./account.ts";
export { resignLedgers, signLatest } from "./checkpoint.ts";
export { ensureAccount, post } from "./post.ts";
export {
  getTransactionByKey,
  getTransaction,
  listBalances,
  listOrganizationsWithLedger,
  listTransactions,
  type TransactionView,
} from "./queries.ts";
export { removeOldTransactions } from "./remove-old.ts";
export type { LedgerTransactionRow, Posting, Reversal } from "./transaction.ts";
export { type LedgerFault, type VerifiedLedger, verifyLedger, verifyLedgerIn } from "./verify-ledger.ts";
