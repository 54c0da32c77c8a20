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
export { createSandboxProvider, type SandboxProviderOptions } from "./sandbox-provider.ts";
