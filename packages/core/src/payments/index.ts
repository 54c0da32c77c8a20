export { type AutoTopUpRow, getWallet, setAutoTopUp, topUpAutomatically, type WalletView } from "./auto-top-up.ts";
export { cancelPayment } from "./cancel-payment.ts";
export { collectInvoice } from "./collect-invoice.ts";
export { connectProviders } from "./connect-providers.ts";
export { collectable, listDueCollections } from "./collections.ts";
export { decideCollection } from "./decide-collection.ts";
export { decideCall, type IntentRow, type IntentStatus, intentTransitions } from "./intent.ts";
export { isSettling } from "./is-settling.ts";
export {
  listPaymentMethods,
  type PaymentMethodRow,
  removeAllMethods,
  removePaymentMethod,
  setAutomaticPayment,
} from "./methods.ts";
export { deleteOldNotices, maxNoticeBytes, receiveNotice } from "./notices.ts";
export {
  NoticeRefused,
  type PaymentProvider,
  type PaymentProviderName,
  type PaymentRequest,
  type ProviderNotice,
  type ProviderPayment,
  type ProviderPaymentState,
  type ProviderRefund,
  ProviderRefused,
  ProviderUnavailable,
  type RefundRequest,
  type SavedMethod,
} from "./provider.ts";
export { getPayment, listPayments } from "./queries.ts";
export { type ProviderAccess, reconcilePayment } from "./reconcile-payment.ts";
export { reconcileRefund } from "./reconcile-refund.ts";
export type { PaymentProviders } from "./require-provider.ts";
export { resumePayments } from "./resume-payments.ts";
export { createSandboxProvider, type SandboxProviderOptions } from "./sandbox-provider.ts";
export { type PaymentChoice, startPayment } from "./start-payment.ts";
export { startTopUp } from "./start-top-up.ts";
export { sweepPayments } from "./sweep-payments.ts";
