import type { InvoiceLineRow } from "./invoice.ts";
import { divideRounded } from "../money.ts";

/** A line before it is written. What it comes to follows from the rest. */
export type NewLine = Pick<InvoiceLineRow, "kind" | "description" | "quantity" | "unitAmountMinor" | "priceId"> &
  Partial<Pick<InvoiceLineRow, "includedQuantity" | "perQuantity">>;

/** What a line comes to, from nothing but what stands on it, so that anybody can calculate it anew. */
export function amountOfLine(line: Omit<NewLine, "kind" | "description" | "priceId">): bigint {
  const { quantity, includedQuantity = 0n, unitAmountMinor, perQuantity = 1n } = line;
  const counted = quantity > includedQuantity ? quantity - includedQuantity : 0n;
  return divideRounded(counted * unitAmountMinor, perQuantity);
}
