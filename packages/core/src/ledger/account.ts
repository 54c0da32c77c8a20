/**
 * receivable: what the organization owes for invoices that are open.
 * cash: what has come from it and was not given back.
 * revenue: what it was charged for, less what was taken back, without taxes.
 * tax_payable: the part of it that is the state's.
 * bad_debt: what was used and will not be paid.
 * wallet: what it has paid ahead, and may spend.
 * refund_due: what was taken back and has not reached it yet.
 * goodwill: what operators gave it, less what they took.
 */
export const ledgerAccountKinds = {
  receivable: { normalSide: "debit", mayGoNegative: false },
  cash: { normalSide: "debit", mayGoNegative: false },
  revenue: { normalSide: "credit", mayGoNegative: false },
  tax_payable: { normalSide: "credit", mayGoNegative: false },
  bad_debt: { normalSide: "debit", mayGoNegative: false },
  wallet: { normalSide: "credit", mayGoNegative: false },
  refund_due: { normalSide: "credit", mayGoNegative: false },
  goodwill: { normalSide: "debit", mayGoNegative: true },
} as const satisfies Record<string, { readonly normalSide: "debit" | "credit"; readonly mayGoNegative: boolean }>;

export type LedgerAccountKind = keyof typeof ledgerAccountKinds;
