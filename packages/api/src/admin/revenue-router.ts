import {
  getRecurringRevenue,
  listChurn,
  listMargins,
  listReceivables,
  listUpcomingInvoices,
  summariseRevenue,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type {
  ChurnMonthDto,
  MarginPageDto,
  ReceivablePageDto,
  RecurringRevenueDto,
  RevenueMonthDto,
  UpcomingPageDto,
} from "./money-dto.ts";
import {
  churnSchema,
  marginPageSchema,
  receivablePageSchema,
  recurringRevenueInput,
  recurringRevenueSchema,
  revenueMonthsInput,
  revenueSummarySchema,
  upcomingInput,
  upcomingPageSchema,
} from "./revenue-schema.ts";
import { toMarginDto, toReceivablePageDto, toUpcomingInvoiceDto } from "./revenue-to-dto.ts";

export const revenueRouter = {
  summary: operatorProcedure("admin.revenue.read")
    .input(revenueMonthsInput)
    .output(revenueSummarySchema)
    .query(async ({ ctx, input }): Promise<readonly RevenueMonthDto[]> => summariseRevenue(coreContext(ctx), input)),

  mrr: operatorProcedure("admin.revenue.read")
    .input(recurringRevenueInput)
    .output(recurringRevenueSchema)
    .query(async ({ ctx, input }): Promise<readonly RecurringRevenueDto[]> =>
      getRecurringRevenue(coreContext(ctx), input),
    ),

  churn: operatorProcedure("admin.revenue.read")
    .input(revenueMonthsInput)
    .output(churnSchema)
    .query(async ({ ctx, input }): Promise<readonly ChurnMonthDto[]> => listChurn(coreContext(ctx), input)),

  receivables: operatorProcedure("admin.revenue.read")
    .input(listInput)
    .output(receivablePageSchema)
    .query(async ({ ctx, input }): Promise<ReceivablePageDto> =>
      toReceivablePageDto(await listReceivables(coreContext(ctx), input)),
    ),

  margin: operatorProcedure("admin.revenue.read")
    .input(listInput)
    .output(marginPageSchema)
    .query(async ({ ctx, input }): Promise<MarginPageDto> =>
      toPageDto(await listMargins(coreContext(ctx), input), toMarginDto),
    ),

  upcoming: operatorProcedure("admin.revenue.read")
    .input(upcomingInput)
    .output(upcomingPageSchema)
    .query(async ({ ctx, input }): Promise<UpcomingPageDto> =>
      toPageDto(await listUpcomingInvoices(coreContext(ctx), input), toUpcomingInvoiceDto),
    ),
};
