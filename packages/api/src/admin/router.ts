import {
  adjustWallet,
  type CoreContext,
  getInvoice,
  getNode,
  getTransaction,
  giveRefund,
  listNodes,
  listTransactions,
  recordPayment,
  setNodeSchedulable,
} from "@sewa/core";
import type { Context } from "../context.ts";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import type { InvoiceDto } from "../invoices/dto.ts";
import { invoiceSchema } from "../invoices/schema.ts";
import { toInvoiceDto } from "../invoices/to-dto.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import { adminAuditRouter } from "./audit-router.ts";
import { booksRouter } from "./books-router.ts";
import { adminCouponsRouter } from "./coupons-router.ts";
import {
  adminInstancesRouter,
  adminJobsRouter,
  adminOrdersRouter,
  adminOrganizationsRouter,
  adminPaymentLists,
  adminSubscriptionsRouter,
} from "./directory-router.ts";
import { adminUsersRouter } from "./users-router.ts";
import type { NodeDto, NodePageDto } from "./dto.ts";
import { inventoryRouter } from "./inventory-router.ts";
import { adminOfferingsRouter } from "./offerings-router.ts";
import { adminPlansRouter } from "./plans-router.ts";
import type { TransactionDto, TransactionPageDto } from "../transactions/dto.ts";
import { transactionPageSchema, transactionSchema } from "../transactions/schema.ts";
import { toTransactionDto } from "../transactions/to-dto.ts";
import {
  adjustWalletInput,
  listTransactionsInput,
  nodeInput,
  nodePageSchema,
  nodeSchema,
  organizationTransactionInput,
  recordPaymentInput,
  refundInput,
  scheduleNodeInput,
} from "./schema.ts";
import { revenueRouter } from "./revenue-router.ts";
import { taxesRouter } from "./tax-router.ts";
import { toNodeDto } from "./to-dto.ts";

const nodesRouter = {
  list: operatorProcedure("admin.nodes.read")
    .input(listInput)
    .output(nodePageSchema)
    .query(async ({ ctx, input }): Promise<NodePageDto> =>
      toPageDto(await listNodes(coreContext(ctx), input), toNodeDto),
    ),

  get: operatorProcedure("admin.nodes.read")
    .input(nodeInput)
    .output(nodeSchema)
    .query(async ({ ctx, input }): Promise<NodeDto> => toNodeDto(await getNode(coreContext(ctx), input.name))),

  // Both say how it shall be, so saying it twice changes nothing and no key is needed.
  cordon: operatorProcedure("admin.nodes.write")
    .input(scheduleNodeInput)
    .output(nodeSchema)
    .mutation(async ({ ctx, input: { name, reason = null } }): Promise<NodeDto> =>
      toNodeDto(await setNodeSchedulable(coreContext(ctx), { name, reason, schedulable: false })),
    ),

  uncordon: operatorProcedure("admin.nodes.write")
    .input(scheduleNodeInput)
    .output(nodeSchema)
    .mutation(async ({ ctx, input: { name, reason = null } }): Promise<NodeDto> =>
      toNodeDto(await setNodeSchedulable(coreContext(ctx), { name, reason, schedulable: true })),
    ),
};

const paymentsRouter = {
  ...adminPaymentLists,

  record: operatorProcedure("admin.payments.record")
    .input(recordPaymentInput)
    .output(invoiceSchema)
    .mutation(async ({ ctx, input }): Promise<InvoiceDto> => {
      const { organizationId, invoiceId, amount, ...payment } = input;
      const core = coreOf(ctx, organizationId);
      // Looked for first: an organization that nobody has could not even hold the record of the key.
      const { invoice } = await getInvoice(core, uuidOf("invoice", invoiceId));
      return toInvoiceDto(await recordPayment(core, { invoiceId: invoice.id, ...amount, ...payment }));
    }),
};

const transactionsRouter = {
  list: operatorProcedure("admin.transactions.read")
    .input(listTransactionsInput)
    .output(transactionPageSchema)
    .query(async ({ ctx, input: { organizationId, ...page } }): Promise<TransactionPageDto> =>
      toPageDto(await listTransactions(coreOf(ctx, organizationId), page), toTransactionDto),
    ),

  get: operatorProcedure("admin.transactions.read")
    .input(organizationTransactionInput)
    .output(transactionSchema)
    .query(async ({ ctx, input: { organizationId, transactionId } }): Promise<TransactionDto> =>
      toTransactionDto(await getTransaction(coreOf(ctx, organizationId), uuidOf("transaction", transactionId))),
    ),

  adjust: operatorProcedure("admin.transactions.write")
    .input(adjustWalletInput)
    .output(transactionSchema)
    .mutation(async ({ ctx, input: { organizationId, amount, ...input } }): Promise<TransactionDto> =>
      toTransactionDto(await adjustWallet(coreOf(ctx, organizationId), { ...input, ...amount })),
    ),

  refund: operatorProcedure("admin.transactions.write")
    .input(refundInput)
    .output(transactionSchema)
    .mutation(async ({ ctx, input: { organizationId, paymentId, amount, ...input } }): Promise<TransactionDto> => {
      const refund = { ...input, ...amount, paymentId: uuidOf("payment", paymentId) };
      return toTransactionDto(await giveRefund(coreOf(ctx, organizationId), refund));
    }),
};

function coreOf(ctx: Pick<Context, "core">, organizationId: string): CoreContext {
  return coreContext(ctx).forOrganization(uuidOf("organization", organizationId));
}

export const adminRouter = {
  nodes: nodesRouter,
  payments: paymentsRouter,
  transactions: transactionsRouter,
  inventory: inventoryRouter,
  revenue: revenueRouter,
  taxes: taxesRouter,
  books: booksRouter,
  audit: adminAuditRouter,
  coupons: adminCouponsRouter,
  plans: adminPlansRouter,
  offerings: adminOfferingsRouter,
  organizations: adminOrganizationsRouter,
  users: adminUsersRouter,
  orders: adminOrdersRouter,
  subscriptions: adminSubscriptionsRouter,
  instances: adminInstancesRouter,
  jobs: adminJobsRouter,
};
