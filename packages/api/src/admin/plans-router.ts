import { listPlanPrices, type PlanPrices, toPublicId } from "@sewa/core";
import { z } from "zod";
import { coreContext } from "../core-context.ts";
import type { MoneyDto } from "../dto.ts";
import { trialSchema } from "../offerings/schema.ts";
import { toPageDto } from "../page.ts";
import { listInput, moneySchema, pageSchema, type Schema } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type { AdminPlanDto, AdminPlanPageDto, AdminPriceDto } from "./dto.ts";

const adminPlanSchema: Schema<AdminPlanDto> = z.strictObject({
  id: z.string(),
  slug: z.string(),
  offeringSlug: z.string(),
  status: z.enum(["published", "hidden"]),
  prices: z.array(
    z.strictObject({
      amount: moneySchema,
      cost: moneySchema.nullable(),
      markupBasisPoints: z.int().nullable(),
      margin: moneySchema.nullable(),
      setup: moneySchema.nullable(),
      trial: trialSchema.nullable(),
    }),
  ),
});
const adminPlanPageSchema: Schema<AdminPlanPageDto> = pageSchema(adminPlanSchema);

export const adminPlansRouter = {
  list: operatorProcedure("admin.catalog.read")
    .input(listInput)
    .output(adminPlanPageSchema)
    .query(async ({ ctx, input }): Promise<AdminPlanPageDto> =>
      toPageDto(await listPlanPrices(coreContext(ctx), input), toAdminPlanDto),
    ),
};

function toAdminPlanDto({ id, slug, offeringSlug, status, prices }: PlanPrices): AdminPlanDto {
  return { id: toPublicId("plan", id), slug, offeringSlug, status, prices: prices.map(toAdminPriceDto) };
}

function toAdminPriceDto(price: PlanPrices["prices"][number]): AdminPriceDto {
  const { currency, amountMinor, costMinor, markupBasisPoints, setupMinor, trialPeriods, trialAmountMinor } = price;
  const money = (minor: bigint): MoneyDto => ({ amountMinor: minor, currency });
  return {
    amount: money(amountMinor),
    cost: costMinor === null ? null : money(costMinor),
    markupBasisPoints,
    margin: costMinor === null ? null : money(amountMinor - costMinor),
    setup: setupMinor === 0n ? null : money(setupMinor),
    trial:
      trialPeriods === null || trialAmountMinor === null
        ? null
        : { periods: trialPeriods, price: money(trialAmountMinor) },
  };
}
