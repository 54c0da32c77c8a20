export { giveRefund } from "./give-refund.ts";
export {
  type CreditNoteRow,
  type CreditNoteTaxRow,
  formatInvoiceNumber,
  type InvoiceLineRow,
  type InvoiceRow,
  type InvoiceStatus,
  type InvoiceTaxRow,
  invoiceTransitions,
  type PaymentRow,
  type RefundRow,
} from "./invoice.ts";
export { amountOfLine, type NewLine, totalOfLines } from "./line.ts";
export { type NewInvoice, openInvoice } from "./open-invoice.ts";
export { type NewPayment, payInvoice } from "./pay-invoice.ts";
export { restOf } from "./postings.ts";
export {
  addBillingPeriod,
  findInvoiceOfPeriod,
  getInvoice,
  getInvoiceRow,
  type InvoiceView,
  listInvoices,
  listOpenInvoices,
  listPaidInvoices,
  readInvoice,
  setLiveIntent,
} from "./queries.ts";
export { refundInvoice, type RefundTarget } from "./refund-payment.ts";
export { markUncollectible, voidInvoice } from "./settle-invoice.ts";
export { listUsageCosts } from "./usage-costs.ts";
export { draftUsageLines, readUsageLines, type UsageLine } from "./usage-lines.ts";
export { getRefund, noteRefund, type RefundView, settleRefund } from "./settle-refund.ts";
