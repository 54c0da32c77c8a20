import { z } from "zod";
import {
  amountInput,
  idempotencyKey,
  listShape,
  moneySchema,
  opaque,
  pageSchema,
  publicId,
  type Schema,
  signedAmountInput,
  text,
} from "../schema.ts";
import type {
  AdjustWalletInput,
  ListTransactionsInput,
  NodeDto,
  NodeInput,
  NodePageDto,
  OrganizationTransactionInput,
  RecordPaymentInput,
  RefundInput,
  ScheduleNodeInput,
} from "./dto.ts";

const nodeName = opaque(253);

export const nodeInput: Schema<NodeInput> = z.strictObject({ name: nodeName });
export const scheduleNodeInput: Schema<ScheduleNodeInput> = z.strictObject({
  name: nodeName,
  reason: text(1, 500).optional(),
});
export const recordPaymentInput: Schema<RecordPaymentInput> = z.strictObject({
  organizationId: publicId,
  invoiceId: publicId,
  amount: moneySchema,
  reference: text(1, 100),
  amountMayDiffer: z.boolean().optional(),
  idempotencyKey,
});

const reason = text(3, 500);

export const listTransactionsInput: Schema<ListTransactionsInput> = z.strictObject({
  ...listShape,
  organizationId: publicId,
});
export const organizationTransactionInput: Schema<OrganizationTransactionInput> = z.strictObject({
  organizationId: publicId,
  transactionId: publicId,
});
export const adjustWalletInput: Schema<AdjustWalletInput> = z.strictObject({
  organizationId: publicId,
  amount: signedAmountInput,
  reason,
  idempotencyKey,
});
export const refundInput: Schema<RefundInput> = z.strictObject({
  organizationId: publicId,
  paymentId: publicId,
  amount: amountInput,
  target: z.enum(["origin", "wallet"]),
  reason,
  idempotencyKey,
});

export const nodeSchema: Schema<NodeDto> = z.strictObject({
  name: z.string(),
  role: z.enum(["control-plane", "worker"]),
  pool: z.string(),
  isReady: z.boolean(),
  isSchedulable: z.boolean(),
  desiredSchedulable: z.boolean().nullable(),
  allocatableCpuMillis: z.int(),
  allocatableMemoryBytes: z.int(),
  conditions: z.array(z.strictObject({ type: z.string(), status: z.string(), reason: z.string().nullable() })),
  firstSeenAt: z.date(),
  lastSeenAt: z.date(),
  removedAt: z.date().nullable(),
});
export const nodePageSchema: Schema<NodePageDto> = pageSchema(nodeSchema);
