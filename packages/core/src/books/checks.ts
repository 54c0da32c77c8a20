import type { BooksCheck, BooksPromise } from "./check.ts";
import { couponChecks } from "./coupon-checks.ts";
import { invoiceChecks } from "./invoice-checks.ts";
import { ledgerChecks } from "./ledger-checks.ts";
import { paymentChecks } from "./payment-checks.ts";
import { usageChecks } from "./usage-checks.ts";
import { subscriptionChecks } from "./subscription-checks.ts";

/**
 * All of them, by id. Each in its own words of SQL, and not through the code that writes: what that code gets wrong has to show
 * here. Each of those by `change` goes from the organizations asked about along indexes, so that a few of many cost little.
 */
export const booksChecks: readonly BooksCheck[] = [
  ...ledgerChecks,
  ...invoiceChecks,
  ...subscriptionChecks,
  ...paymentChecks,
  ...usageChecks,
  ...couponChecks,
].toSorted((a, b) => a.id.localeCompare(b.id));

/** What no query can ask, because the key of the signatures is not in the database: `lookAtLedger` recomputes it. */
export const ledgerPromise: BooksPromise = {
  id: "M39",
  promise: "Each ledger is as it was posted, transaction by transaction, and as it was signed.",
  kind: "books",
  by: "change",
};

export const booksPromises: readonly BooksPromise[] = [...booksChecks, ledgerPromise];
