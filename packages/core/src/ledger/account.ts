/**
 * receivable: what the organization owes for invoices that are open.
 * cash: what has come from it and was not given back.
 * revenue: what it was charged for, less what was taken back.
 * bad_debt: what was used and will not be paid.
 */
export const ledgerAccountKinds = {
  receivable: { normalSide: "debit", mayGoNegative: false },
  cash: { normalSide: "debit", mayGoNegative: false },
  revenue: { normalSide: "credit", mayGoNegative: false },
  bad_debt: { normalSide: "debit", mayGoNegative: false },
} as const satisfies Record<string, { readonly normalSide: "debit" | "credit"; readonly mayGoNegative: boolean }>;

export type LedgerAccountKind = keyof typeof ledgerAccountKinds;
