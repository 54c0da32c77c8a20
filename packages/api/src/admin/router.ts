import { getInvoice, getNode, listNodes, recordPayment, setNodeSchedulable } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import type { InvoiceDto } from "../invoices/dto.ts";
import { invoiceSchema } from "../invoices/schema.ts";
import { toInvoiceDto } from "../invoices/to-dto.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type { NodeDto, NodePageDto } from "./dto.ts";
import { inventoryRouter } from "./inventory-router.ts";
import { nodeInput, nodePageSchema, nodeSchema, recordPaymentInput, scheduleNodeInput } from "./schema.ts";
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
  record: operatorProcedure("admin.payments.record")
    .input(recordPaymentInput)
    .output(invoiceSchema)
    .mutation(
      async ({ ctx, input: { organizationId, invoiceId, amount, reference, idempotencyKey } }): Promise<InvoiceDto> => {
        const core = coreContext(ctx).forOrganization(uuidOf("organization", organizationId));
        // Looked for first: an organization that nobody has could not even hold the record of the key.
        const { invoice } = await getInvoice(core, uuidOf("invoice", invoiceId));
        return toInvoiceDto(await recordPayment(core, { invoiceId: invoice.id, ...amount, reference, idempotencyKey }));
      },
    ),
};

export const adminRouter = { nodes: nodesRouter, payments: paymentsRouter, inventory: inventoryRouter };
