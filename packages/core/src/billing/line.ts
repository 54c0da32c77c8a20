import type { InvoiceLineRow } from "./invoice.ts";
import { divideRounded } from "../money.ts";
import type { UsageKey } from "../usage/index.ts";

/** A line before it is written. What it comes to follows from the rest. */
export type NewLine = Pick<InvoiceLineRow, "kind" | "description" | "quantity" | "unitAmountMinor" | "priceId"> &
  Partial<Pick<InvoiceLineRow, "includedQuantity" | "perQuantity" | "meter" | "periodStart" | "periodEnd">> & {
    /** Of `usage`: which records it asks for. */
    readonly usage?: UsageKey;
  };

/** What a line comes to, from nothing but what stands on it, so that anybody can calculate it anew. */
export function amountOfLine(
  line: Pick<NewLine, "kind" | "quantity" | "unitAmountMinor" | "includedQuantity" | "perQuantity">,
): bigint {
  const { kind, quantity, includedQuantity = 0n, unitAmountMinor, perQuantity = 1n } = line;
  const counted = quantity > includedQuantity ? quantity - includedQuantity : 0n;
  const amountMinor = divideRounded(counted * unitAmountMinor, perQuantity);
  return kind === "discount" ? -amountMinor : amountMinor;
}

export function totalOfLines(lines: readonly NewLine[]): bigint {
  return lines.reduce((sum, line) => sum + amountOfLine(line), 0n);
}
