import { z } from "zod";
import { choiceShape } from "../payments/schema.ts";
import { amountInput, maxAmountMinor, moneySchema, publicId, type Schema } from "../schema.ts";
import type { SetAutoTopUpInput, TopUpInput, WalletDto } from "./dto.ts";

export const topUpInput: Schema<TopUpInput> = z.strictObject({ amount: amountInput, ...choiceShape });
export const setAutoTopUpInput: Schema<SetAutoTopUpInput> = z.strictObject({
  autoTopUp: z
    .strictObject({
      thresholdMinor: z.bigint().min(0n).max(maxAmountMinor),
      amountMinor: z.bigint().positive().max(maxAmountMinor),
      methodId: publicId,
    })
    .nullable(),
});

export const walletSchema: Schema<WalletDto> = z.strictObject({
  balances: z.array(moneySchema),
  autoTopUp: z
    .strictObject({ isEnabled: z.boolean(), threshold: moneySchema, amount: moneySchema, methodId: z.string() })
    .nullable(),
});
