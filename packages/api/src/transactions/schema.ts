import { z } from "zod";
import { moneySchema, pageSchema, publicId, type Schema } from "../schema.ts";
import type { TransactionDto, TransactionInput, TransactionPageDto } from "./dto.ts";

export const transactionInput: Schema<TransactionInput> = z.strictObject({ transactionId: publicId });

const account = z.enum([
  "receivable",
  "cash",
  "revenue",
  "tax_payable",
  "wallet",
  "refund_due",
  "bad_debt",
  "goodwill",
]);

export const transactionSchema: Schema<TransactionDto> = z.strictObject({
  id: z.string(),
  sequence: z.int(),
  kind: z.enum([
    "invoice_opened",
    "invoice_voided",
    "invoice_written_off",
    "payment_received",
    "payment_refunded",
    "wallet_topped_up",
    "wallet_credited",
    "wallet_spent",
    "wallet_refunded",
    "wallet_adjusted",
    "refund_promised",
  ]),
  amount: moneySchema,
  debit: account,
  credit: account,
  sourceId: z.string(),
  postedAt: z.date(),
});
export const transactionPageSchema: Schema<TransactionPageDto> = pageSchema(transactionSchema);
