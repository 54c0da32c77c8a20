import type { PricedItem } from "@sewa/core";
import { z } from "zod";
import type { QuoteLineDto } from "./dto.ts";
import { moneySchema, type Schema } from "./schema.ts";

export const quoteLinesSchema: Schema<QuoteLineDto[]> = z.array(
  z.strictObject({ description: z.string(), amount: moneySchema }),
);

export function toQuoteLines(items: readonly PricedItem[], currency: string): QuoteLineDto[] {
  return items.map(({ description, quantity, unitAmountMinor }) => ({
    description,
    amount: { amountMinor: BigInt(quantity) * BigInt(unitAmountMinor), currency },
  }));
}
