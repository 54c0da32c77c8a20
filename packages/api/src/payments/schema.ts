import { z } from "zod";
import { idempotencyKey, listShape, moneySchema, pageSchema, publicId, type Schema } from "../schema.ts";
import type {
  CancelPaymentInput,
  ListPaymentsInput,
  PaymentDto,
  PaymentInput,
  PaymentMethodDto,
  PaymentMethodInput,
  PaymentMethodPageDto,
  PaymentPageDto,
  SetAutomaticInput,
  StartPaymentInput,
} from "./dto.ts";

export const choiceShape = {
  method: z.enum(["wallet", "checkout", "saved"]),
  methodId: publicId.optional(),
  savesMethod: z.boolean().optional(),
  idempotencyKey,
};
export const startPaymentInput: Schema<StartPaymentInput> = z.strictObject({ invoiceId: publicId, ...choiceShape });
export const paymentInput: Schema<PaymentInput> = z.strictObject({ paymentId: publicId });
export const cancelPaymentInput: Schema<CancelPaymentInput> = z.strictObject({ paymentId: publicId, idempotencyKey });
export const listPaymentsInput: Schema<ListPaymentsInput> = z.strictObject({
  ...listShape,
  invoiceId: publicId.optional(),
});
export const paymentMethodInput: Schema<PaymentMethodInput> = z.strictObject({ methodId: publicId });
export const setAutomaticInput: Schema<SetAutomaticInput> = z.strictObject({
  methodId: publicId,
  isAutomatic: z.boolean(),
});

export const paymentSchema: Schema<PaymentDto> = z.strictObject({
  id: z.string(),
  status: z.enum(["created", "pending", "succeeded", "failed", "expired", "cancelled"]),
  purpose: z.enum(["invoice", "top_up"]),
  invoiceId: z.string().nullable(),
  provider: z.enum(["wallet", "sandbox"]),
  methodId: z.string().nullable(),
  origin: z.enum(["customer", "automatic"]),
  amount: moneySchema,
  received: moneySchema.nullable(),
  checkoutUrl: z.string().nullable(),
  failure: z.string().nullable(),
  expiresAt: z.date(),
  startedAt: z.date(),
  endedAt: z.date().nullable(),
});
export const paymentPageSchema: Schema<PaymentPageDto> = pageSchema(paymentSchema);
export const paymentMethodSchema: Schema<PaymentMethodDto> = z.strictObject({
  id: z.string(),
  label: z.string(),
  isAutomatic: z.boolean(),
  savedAt: z.date(),
  removedAt: z.date().nullable(),
});
export const paymentMethodPageSchema: Schema<PaymentMethodPageDto> = pageSchema(paymentMethodSchema);
