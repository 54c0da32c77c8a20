export { cancel as cancelSubscription, nothingToPay } from "./apply-action.ts";
export { type ApplyCoupon, applyCoupon } from "./apply-coupon.ts";
export {
  afterCharge,
  type Charge,
  type ChargeFacts,
  deriveCharge,
  deriveNextCharge,
  firstPeriod,
  goesOnByItself,
  readChargeFacts,
} from "./charge.ts";
export { type ForeseenRenewal, foreseeRenewals } from "./foresee.ts";
export { capSubscription } from "./cap-subscription.ts";
export { cancelAtPeriodEnd, cancelNow, undoCancel } from "./cancel-subscription.ts";
export { type RemoveByForce, removeByForce } from "./remove-by-force.ts";
export { changeTerms, scheduleTerms, settleTerms } from "./change-terms.ts";
export { nextTermsOf, type SubscriptionTerms, termsOf } from "./terms.ts";
export { createSubscription } from "./create-subscription.ts";
export {
  draftInvoice,
  type InvoiceDraft,
  type InvoicePreview,
  openDraft,
  previewNextInvoice,
} from "./draft-invoice.ts";
export { type LoadedSubscription, loadForUpdate } from "./load-subscription.ts";
export { mailFacts } from "./mail-facts.ts";
export { bringsBack, giveRoomBack, holdRoom, payAndFollow, reserveRoom, tryHoldRoom } from "./pay-subscription.ts";
export {
  countLiveSubscriptions,
  getSubscription,
  listSubscriptions,
  type SubscriptionView,
  toSubscriptionView,
} from "./queries.ts";
export { reconcileSubscription } from "./reconcile-subscription.ts";
export { recordPayment } from "./record-payment.ts";
export { remindOrganization } from "./remind.ts";
export { renewSubscription } from "./renew-subscription.ts";
export { resumeSubscriptions } from "./resume-subscriptions.ts";
export {
  type CancelReason,
  decideSubscription,
  deriveNextDueAt,
  nextPeriod,
  nextPeriodKey,
  renewalTermsOf,
  type SubscriptionAction,
  type SubscriptionFacts,
  type SubscriptionRow,
  type SubscriptionRules,
  subscriptionTransitions,
} from "./subscription.ts";
export { holdsFreePlace, refuseSecondFreePlace, takeFreePlace } from "./free-place.ts";
export { refuseSecondTrial, takeTrial } from "./trial.ts";
export { listDueSubscriptions, sweepSubscriptions } from "./sweep-subscriptions.ts";
