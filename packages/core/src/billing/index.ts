export {
  formatInvoiceNumber,
  type InvoiceLineRow,
  type InvoiceRow,
  type InvoiceStatus,
  invoiceTransitions,
  type PaymentRow,
} from "./invoice.ts";
export { type NewInvoice, openInvoice } from "./open-invoice.ts";
export {
  addBillingPeriod,
  findInvoiceOfPeriod,
  getInvoice,
  getInvoiceRow,
  type InvoiceView,
  listInvoices,
  listOpenInvoices,
  listPaidInvoices,
} from "./queries.ts";
export { markUncollectible, payInvoice, refundInvoice, voidInvoice } from "./settle-invoice.ts";
