export type { FindInput, FindOfOrganizationInput } from "./find.ts";
export { findInstances, type FindInstancesInput, getInstanceEntry, type InstanceEntry } from "./instances.ts";
export { findOfferings, getOfferingEntry, type OfferingEntry, type PlanEntry } from "./offerings.ts";
export { findOrders, getOrderEntry, type OrderEntry } from "./orders.ts";
export { findOrganizations, getOrganizationEntry, type OrganizationEntry } from "./organizations.ts";
export { findPayments, getPaymentEntry, type PaymentEntry } from "./payments.ts";
export {
  findSubscriptions,
  type FindSubscriptionsInput,
  getSubscriptionEntry,
  type SubscriptionEntry,
} from "./subscriptions.ts";
export { findUsers, getUserEntry, type UserEntry } from "./users.ts";
