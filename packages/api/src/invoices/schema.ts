import { documentFormats } from "@sewa/core";
import { z } from "zod";
import { listShape, moneySchema, pageSchema, publicId, type Schema, taxSchema } from "../schema.ts";
import type {
  InvoiceDocumentDto,
  InvoiceDocumentInput,
  InvoiceDto,
  InvoiceInput,
  InvoiceLineDto,
  InvoicePageDto,
  InvoicePreviewDto,
  ListInvoicesInput,
} from "./dto.ts";

export const invoiceInput: Schema<InvoiceInput> = z.strictObject({ invoiceId: publicId });
export const invoiceDocumentInput: Schema<InvoiceDocumentInput> = z.strictObject({
  invoiceId: publicId,
  format: z.enum(documentFormats),
  creditNoteNumber: z.string().max(40).optional(),
});
export const invoiceDocumentSchema: Schema<InvoiceDocumentDto> = z.strictObject({
  fileName: z.string(),
  contentType: z.string(),
  base64: z.string(),
});
export const listInvoicesInput: Schema<ListInvoicesInput> = z.strictObject({
  ...listShape,
  subscriptionId: publicId.optional(),
});

const moment = z.date().nullable();

const reason = z.enum(["order", "renewal", "reactivation", "change", "usage"]);
const lineSchema: Schema<InvoiceLineDto> = z.strictObject({
  kind: z.enum(["plan", "parameter", "change", "usage", "setup", "discount", "addon"]),
  description: z.string(),
  quantity: z.bigint(),
  includedQuantity: z.bigint(),
  unitAmount: moneySchema,
  perQuantity: z.bigint(),
  amount: moneySchema,
  usage: z
    .strictObject({ meter: z.string(), unitQuantity: z.bigint(), periodStart: z.date(), periodEnd: z.date() })
    .nullable(),
});

export const invoicePreviewSchema: Schema<InvoicePreviewDto> = z.strictObject({
  subscriptionId: z.string(),
  invoiceId: z.string().nullable(),
  reason,
  periodStart: moment,
  periodEnd: moment,
  taxes: z.array(taxSchema),
  total: moneySchema,
  dueAt: moment,
  lines: z.array(lineSchema),
});

export const invoiceSchema: Schema<InvoiceDto> = z.strictObject({
  id: z.string(),
  number: z.string().nullable(),
  status: z.enum(["draft", "open", "paid", "void", "uncollectible"]),
  reason,
  subscriptionId: z.string(),
  periodStart: moment,
  periodEnd: moment,
  taxes: z.array(taxSchema),
  total: moneySchema,
  paid: moneySchema,
  customer: z.strictObject({
    organization: z.string(),
    name: z.string(),
    email: z.string(),
    taxId: z.string().nullable(),
    country: z.string().nullable(),
  }),
  lines: z.array(lineSchema),
  payments: z.array(
    z.strictObject({
      id: z.string(),
      provider: z.enum(["manual", "wallet", "sandbox"]),
      status: z.enum(["succeeded"]),
      amount: moneySchema,
      refunded: moneySchema,
      reference: z.string().nullable(),
      receivedAt: z.date(),
    }),
  ),
  creditNotes: z.array(
    z.strictObject({
      number: z.string(),
      amount: moneySchema,
      taxMinor: z.bigint(),
      reason: z.string(),
      issuedAt: z.date(),
    }),
  ),
  openedAt: moment,
  dueAt: moment,
  paidAt: moment,
  closedAt: moment,
  closeReason: z.string().nullable(),
});
export const invoicePageSchema: Schema<InvoicePageDto> = pageSchema(invoiceSchema);
