import { getInvoice, getInvoiceDocument, listInvoices, previewNextInvoice } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { organizationProcedure } from "../trpc.ts";
import { subscriptionInput } from "../subscriptions/schema.ts";
import type { InvoiceDocumentDto, InvoiceDto, InvoicePageDto, InvoicePreviewDto } from "./dto.ts";
import {
  invoiceDocumentInput,
  invoiceDocumentSchema,
  invoiceInput,
  invoicePageSchema,
  invoicePreviewSchema,
  invoiceSchema,
  listInvoicesInput,
} from "./schema.ts";
import { toDocumentDto, toInvoiceDto, toInvoicePreviewDto } from "./to-dto.ts";

export const invoicesRouter = {
  list: organizationProcedure("invoice.read")
    .input(listInvoicesInput)
    .output(invoicePageSchema)
    .query(async ({ ctx, input: { subscriptionId, ...page } }): Promise<InvoicePageDto> => {
      const filter = subscriptionId === undefined ? {} : { subscriptionId: uuidOf("subscription", subscriptionId) };
      return toPageDto(await listInvoices(coreContext(ctx), { ...page, ...filter }), toInvoiceDto);
    }),

  get: organizationProcedure("invoice.read")
    .input(invoiceInput)
    .output(invoiceSchema)
    .query(async ({ ctx, input }): Promise<InvoiceDto> =>
      toInvoiceDto(await getInvoice(coreContext(ctx), uuidOf("invoice", input.invoiceId))),
    ),

  document: organizationProcedure("invoice.read")
    .input(invoiceDocumentInput)
    .output(invoiceDocumentSchema)
    .query(async ({ ctx, input }): Promise<InvoiceDocumentDto> => {
      const asked = { ...input, invoiceId: uuidOf("invoice", input.invoiceId) };
      return toDocumentDto(await getInvoiceDocument(coreContext(ctx), asked));
    }),
  previewNext: organizationProcedure("invoice.read")
    .input(subscriptionInput)
    .output(invoicePreviewSchema)
    .query(async ({ ctx, input }): Promise<InvoicePreviewDto> =>
      toInvoicePreviewDto(await previewNextInvoice(coreContext(ctx), uuidOf("subscription", input.subscriptionId))),
    ),
};
