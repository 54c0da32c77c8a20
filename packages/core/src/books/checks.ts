import type { BooksCheck } from "./check.ts";
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
