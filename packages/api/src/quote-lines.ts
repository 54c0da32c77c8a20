import { amountOfLine, type PricedItem, type Quote } from "@sewa/core";
import { z } from "zod";
import type { QuoteLineDto } from "./dto.ts";
import { moneySchema, type Schema } from "./schema.ts";

export const quoteLinesSchema: Schema<QuoteLineDto[]> = z.array(
  z.strictObject({
    description: z.string(),
    quantity: z.bigint(),
    unitAmount: moneySchema,
    perQuantity: z.bigint(),
    amount: moneySchema,
  }),
);

export function toQuoteLineDto(line: Quote["lines"][number], currency: string): QuoteLineDto {
  const { description, quantity, unitAmountMinor, perQuantity = 1n } = line;
  const unitAmount = { amountMinor: unitAmountMinor, currency };
  return { description, quantity, unitAmount, perQuantity, amount: { amountMinor: amountOfLine(line), currency } };
}

export function toQuoteLines(items: readonly PricedItem[], currency: string): QuoteLineDto[] {
  return items.map(({ kind, description, quantity, unitAmountMinor }) =>
    toQuoteLineDto(
      { kind, description, quantity: BigInt(quantity), unitAmountMinor: BigInt(unitAmountMinor), priceId: null },
      currency,
    ),
  );
}
