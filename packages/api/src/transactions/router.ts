import { getTransaction, listTransactions } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { TransactionDto, TransactionPageDto } from "./dto.ts";
import { transactionInput, transactionPageSchema, transactionSchema } from "./schema.ts";
import { toTransactionDto } from "./to-dto.ts";

export const transactionsRouter = {
  list: organizationProcedure("transaction.read")
    .input(listInput)
    .output(transactionPageSchema)
    .query(async ({ ctx, input }): Promise<TransactionPageDto> =>
      toPageDto(await listTransactions(coreContext(ctx), input), toTransactionDto),
    ),

  get: organizationProcedure("transaction.read")
    .input(transactionInput)
    .output(transactionSchema)
    .query(async ({ ctx, input }): Promise<TransactionDto> =>
      toTransactionDto(await getTransaction(coreContext(ctx), uuidOf("transaction", input.transactionId))),
    ),
};
