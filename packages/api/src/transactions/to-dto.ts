import { toPublicId, type TransactionView } from "@sewa/core";
import type { TransactionDto } from "./dto.ts";

export function toTransactionDto(view: TransactionView): TransactionDto {
  const { transaction, debit, credit, amountMinor, currency } = view;
  const { id, sequence, kind, sourceType, sourceId, postedAt } = transaction;
  return {
    id: toPublicId("transaction", id),
    sequence,
    kind,
    amount: { amountMinor, currency },
    debit,
    credit,
    sourceId: toPublicId(sourceType, sourceId),
    postedAt,
  };
}
