export { type ChurnMonth, type ChurnReason, churnReasons, listChurn } from "./churn.ts";
export { listMargins, type Margin, type RoomPrice } from "./margins.ts";
export { type MonthsInput } from "./months.ts";
export {
  type AgeBucket,
  ageBuckets,
  listReceivables,
  type Receivable,
  type Receivables,
  type ReceivablesBucket,
} from "./receivables.ts";
export { getRecurringRevenue, type RecurringRevenue, type RecurringRevenueInput } from "./recurring-revenue.ts";
export { type RevenueMonth, summariseRevenue } from "./summarise-revenue.ts";
export { type UpcomingInvoice } from "./foretell.ts";
export { listUpcomingInvoices, type UpcomingInput } from "./upcoming.ts";
