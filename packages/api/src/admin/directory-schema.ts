import { maxImpersonationMinutes } from "@sewa/core";
import { z } from "zod";
import { idempotencyKey, listShape, moneySchema, opaque, pageSchema, publicId, type Schema, text } from "../schema.ts";
import type {
  AdminInstanceDto,
  AdminInstancePageDto,
  AdminJobDto,
  AdminJobPageDto,
  AdminOrderDto,
  AdminOrderPageDto,
  AdminOrganizationDto,
  AdminOrganizationPageDto,
  AdminPaymentDto,
  AdminPaymentPageDto,
  AdminSubscriptionDto,
  AdminSubscriptionPageDto,
  AdminUserDto,
  AdminUserPageDto,
  EndedImpersonationsDto,
  EndImpersonationInput,
  FindInput,
  FindInstancesInput,
  FindOfOrganizationInput,
  FindSubscriptionsInput,
  ForceInput,
  HoldInput,
  ImpersonateInput,
  JobStatus,
  ListJobsInput,
  ObservedPhase,
  ReleaseInput,
  RemoveByForceInput,
  ResetSecondFactorDto,
  StartedImpersonationDto,
  SubscriptionStatus,
  SuspensionDto,
  UserReasonInput,
} from "./directory-dto.ts";

const maxSearchCharacters = 100;
const findShape = { ...listShape, search: opaque(maxSearchCharacters).optional() };
const findOfOrganizationShape = { ...findShape, organizationId: publicId.optional() };
const status: Schema<SubscriptionStatus> = z.enum(["pending", "active", "past_due", "expired", "cancelled"]);
const observedPhase: Schema<ObservedPhase> = z.enum([
  "unknown",
  "provisioning",
  "running",
  "degraded",
  "stopped",
  "failed",
  "deleting",
  "absent",
]);
const jobStatus: Schema<JobStatus> = z.enum(["waiting", "running", "failed"]);

export const findInput: Schema<FindInput> = z.strictObject(findShape);
export const findOfOrganizationInput: Schema<FindOfOrganizationInput> = z.strictObject(findOfOrganizationShape);
export const findSubscriptionsInput: Schema<FindSubscriptionsInput> = z.strictObject({
  ...findOfOrganizationShape,
  status: status.optional(),
});
export const findInstancesInput: Schema<FindInstancesInput> = z.strictObject({
  ...findOfOrganizationShape,
  observedPhase: observedPhase.optional(),
});
export const listJobsInput: Schema<ListJobsInput> = z.strictObject({
  ...listShape,
  task: opaque(maxSearchCharacters).optional(),
  status: jobStatus.optional(),
});
export const organizationIdInput: Schema<{ readonly organizationId: string }> = z.strictObject({
  organizationId: publicId,
});
const suspensionReason = text(3, 500);
export const userReasonInput: Schema<UserReasonInput> = z.strictObject({
  userId: publicId,
  reason: suspensionReason,
});
export const impersonateInput: Schema<ImpersonateInput> = z.strictObject({
  userId: publicId,
  organizationId: publicId,
  reason: text(10, 500),
  minutes: z.int().min(1).max(maxImpersonationMinutes),
});
export const startedImpersonationSchema: Schema<StartedImpersonationDto> = z.strictObject({
  sessionId: z.string(),
  token: z.string(),
  endsAt: z.date(),
});
export const endImpersonationInput: Schema<EndImpersonationInput> = z.strictObject({
  userId: publicId,
  organizationId: publicId,
});
export const endedImpersonationsSchema: Schema<EndedImpersonationsDto> = z.strictObject({ count: z.int() });
export const resetSecondFactorSchema: Schema<ResetSecondFactorDto> = z.strictObject({ userId: z.string() });
export const suspensionSchema: Schema<SuspensionDto> = z.strictObject({
  userId: z.string(),
  suspendedAt: z.date().nullable(),
});
export const userIdInput: Schema<{ readonly userId: string }> = z.strictObject({ userId: publicId });
export const orderIdInput: Schema<{ readonly orderId: string }> = z.strictObject({ orderId: publicId });
export const subscriptionIdInput: Schema<{ readonly subscriptionId: string }> = z.strictObject({
  subscriptionId: publicId,
});
export const instanceIdInput: Schema<{ readonly instanceId: string }> = z.strictObject({ instanceId: publicId });
const forceShape = { instanceId: publicId, reason: text(3, 500), idempotencyKey };
const customerMessage = text(1, 500).optional();
export const forceInput: Schema<ForceInput> = z.strictObject(forceShape);
export const holdInput: Schema<HoldInput> = z.strictObject({
  ...forceShape,
  kind: z.enum(["operator", "abuse"]),
  message: customerMessage,
});
export const releaseInput: Schema<ReleaseInput> = z.strictObject({
  ...forceShape,
  kind: z.enum(["operator", "abuse", "books"]),
});
export const removeByForceInput: Schema<RemoveByForceInput> = z.strictObject({
  ...forceShape,
  message: customerMessage,
  confirmName: opaque(200).optional(),
});
export const paymentIdInput: Schema<{ readonly paymentId: string }> = z.strictObject({ paymentId: publicId });
export const jobIdInput: Schema<{ readonly jobId: string }> = z.strictObject({ jobId: publicId });

export const organizationEntrySchema: Schema<AdminOrganizationDto> = z.strictObject({
  id: z.string(),
  name: z.string(),
  timeZone: z.string(),
  country: z.string().nullable(),
  members: z.int(),
  liveSubscriptions: z.int(),
  parkedAt: z.date().nullable(),
  isOnTestClock: z.boolean(),
  createdAt: z.date(),
});
export const organizationEntryPageSchema: Schema<AdminOrganizationPageDto> = pageSchema(organizationEntrySchema);

export const userEntrySchema: Schema<AdminUserDto> = z.strictObject({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  locale: z.enum(["id", "en"]),
  isOperator: z.boolean(),
  emailVerifiedAt: z.date().nullable(),
  suspendedAt: z.date().nullable(),
  createdAt: z.date(),
  organizations: z.array(z.strictObject({ id: z.string(), name: z.string(), role: z.string() })),
});
export const userEntryPageSchema: Schema<AdminUserPageDto> = pageSchema(userEntrySchema);

const ofOrganization = { id: z.string(), organizationId: z.string(), organizationName: z.string() };

export const orderEntrySchema: Schema<AdminOrderDto> = z.strictObject({
  ...ofOrganization,
  subscriptionId: z.string(),
  offeringSlug: z.string(),
  planSlug: z.string(),
  total: moneySchema,
  placedAt: z.date(),
});
export const orderEntryPageSchema: Schema<AdminOrderPageDto> = pageSchema(orderEntrySchema);

export const subscriptionEntrySchema: Schema<AdminSubscriptionDto> = z.strictObject({
  ...ofOrganization,
  instanceId: z.string(),
  instanceName: z.string(),
  offeringSlug: z.string(),
  planSlug: z.string(),
  status,
  price: moneySchema,
  interval: z.enum(["P30D", "P1M"]),
  currentPeriodEnd: z.date().nullable(),
  cancelAtPeriodEnd: z.boolean(),
  createdAt: z.date(),
});
export const subscriptionEntryPageSchema: Schema<AdminSubscriptionPageDto> = pageSchema(subscriptionEntrySchema);

export const instanceEntrySchema: Schema<AdminInstanceDto> = z.strictObject({
  ...ofOrganization,
  subscriptionId: z.string(),
  name: z.string(),
  host: z.string(),
  desiredPhase: z.enum(["running", "stopped", "absent"]),
  observedPhase,
  reason: z.string().nullable(),
  nodeName: z.string().nullable(),
  observedAt: z.date().nullable(),
  removedAt: z.date().nullable(),
  createdAt: z.date(),
  holds: z.array(
    z.strictObject({
      kind: z.enum(["operator", "abuse", "books"]),
      reason: z.string(),
      message: z.string().nullable(),
      placedAt: z.date(),
    }),
  ),
});
export const instanceEntryPageSchema: Schema<AdminInstancePageDto> = pageSchema(instanceEntrySchema);

export const paymentEntrySchema: Schema<AdminPaymentDto> = z.strictObject({
  ...ofOrganization,
  invoiceId: z.string(),
  provider: z.enum(["manual", "wallet", "sandbox"]),
  reference: z.string().nullable(),
  amount: moneySchema,
  refunded: moneySchema,
  receivedAt: z.date(),
});
export const paymentEntryPageSchema: Schema<AdminPaymentPageDto> = pageSchema(paymentEntrySchema);

export const jobSchema: Schema<AdminJobDto> = z.strictObject({
  id: z.string(),
  task: z.string(),
  key: z.string().nullable(),
  status: jobStatus,
  attempts: z.int(),
  maxAttempts: z.int(),
  runAt: z.date(),
  lastError: z.string().nullable(),
  lockedBy: z.string().nullable(),
  requestId: z.string().nullable(),
});
export const jobPageSchema: Schema<AdminJobPageDto> = pageSchema(jobSchema);
