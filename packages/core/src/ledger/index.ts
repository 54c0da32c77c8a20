export { type LedgerAccountKind, ledgerAccountKinds } from "./account.ts";
export { listBalances, listOrganizationsWithLedger } from "./queries.ts";
export { post } from "./post.ts";
export type { LedgerTransactionRow, Posting, Reversal } from "./transaction.ts";
export { type LedgerFault, verifyLedger } from "./verify-ledger.ts";
